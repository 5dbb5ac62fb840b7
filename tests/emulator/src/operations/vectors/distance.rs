//! How far vectors are apart.

use serde::{Deserialize, Serialize};

/// The metric of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Metric {
    Euclidean,
    Cosine,
}

impl Metric {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Metric::Euclidean => "euclidean",
            Metric::Cosine => "cosine",
        }
    }

    /// The distance of two vectors of the same dimension.
    pub(super) fn distance(self, from: &[f32], to: impl Iterator<Item = f32>) -> f64 {
        let pairs = from.iter().zip(to).map(|(a, b)| (f64::from(*a), f64::from(b)));
        match self {
            Metric::Euclidean => pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt(),
            Metric::Cosine => {
                let (mut dot, mut left, mut right) = (0.0, 0.0, 0.0);
                for (a, b) in pairs {
                    dot += a * b;
                    left += a * a;
                    right += b * b;
                }
                1.0 - dot / (left.sqrt() * right.sqrt())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_geometry() {
        let distance = |metric: Metric, a: [f32; 2], b: [f32; 2]| metric.distance(&a, b.into_iter());
        assert_eq!(distance(Metric::Euclidean, [0.0, 0.0], [3.0, 4.0]), 5.0);
        assert!(distance(Metric::Cosine, [1.0, 1.0], [2.0, 2.0]).abs() < 1e-9);
        assert!((distance(Metric::Cosine, [1.0, 0.0], [0.0, 1.0]) - 1.0).abs() < 1e-9);
        assert!((distance(Metric::Cosine, [1.0, 0.0], [-1.0, 0.0]) - 2.0).abs() < 1e-9);
    }
}
