//! Single actions: their parameters, and what they do to an image.

use std::collections::BTreeMap;

use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

use super::{MAX_RESULT_PIXELS, MAX_RESULT_SIDE, invalid};
use crate::error::ServiceError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Info,
    Resize(Resize),
    Crop(Crop),
    /// Quarter turns clockwise.
    Rotate(u32),
    Format(ImageFormat),
    Quality(u8),
    AutoOrient(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Fit,
    Cover,
    Fill,
    Pad,
    Fixed,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resize {
    mode: Mode,
    width: Option<u32>,
    height: Option<u32>,
    longer: Option<u32>,
    shorter: Option<u32>,
    percent: Option<u32>,
    /// Whether images never grow.
    limit: bool,
    color: [u8; 3],
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Crop {
    x: u32,
    y: u32,
    width: Option<u32>,
    height: Option<u32>,
    /// Where the part is anchored: 0, 1 or 2 halves of the free space.
    gravity: (u32, u32),
}

impl Action {
    pub(super) fn parse(text: &str) -> Result<Self, ServiceError> {
        let (name, rest) = text.split_once(',').unwrap_or((text, ""));
        match name {
            "info" => Ok(Self::Info),
            "resize" => resize(rest).map(Self::Resize),
            "crop" => crop(rest).map(Self::Crop),
            "rotate" => match rest.parse::<u32>().ok().filter(|angle| *angle <= 360) {
                Some(angle) if angle % 90 == 0 => Ok(Self::Rotate(angle / 90 % 4)),
                Some(_) => Err(ServiceError::not_implemented("rotate by other than quarter turns")),
                None => Err(invalid("The angle is not between 0 and 360.", text)),
            },
            "format" => match rest {
                "jpg" | "jpeg" => Ok(Self::Format(ImageFormat::Jpeg)),
                "png" => Ok(Self::Format(ImageFormat::Png)),
                "gif" => Ok(Self::Format(ImageFormat::Gif)),
                "webp" => Ok(Self::Format(ImageFormat::WebP)),
                "bmp" => Ok(Self::Format(ImageFormat::Bmp)),
                "tiff" | "heic" | "avif" => Err(ServiceError::not_implemented(format!("the format {rest}"))),
                _ => Err(invalid("The format is not known.", text)),
            },
            "quality" => {
                let percent = rest.strip_prefix("q_").or_else(|| rest.strip_prefix("Q_"));
                let percent = percent.and_then(|percent| percent.parse().ok());
                percent
                    .filter(|percent| (1..=100).contains(percent))
                    .map(Self::Quality)
                    .ok_or_else(|| invalid("The quality is not q_ or Q_ with 1 to 100.", text))
            }
            "auto-orient" => match rest {
                "0" => Ok(Self::AutoOrient(false)),
                "1" => Ok(Self::AutoOrient(true)),
                _ => Err(invalid("auto-orient is 0 or 1.", text)),
            },
            "" => Err(invalid("An action is empty.", text)),
            other => Err(ServiceError::not_implemented(format!("the image action {other}"))),
        }
    }
}

/// Parameters of an action, `{name}_{value}`; a name that the action does not know is an error.
struct Parameters<'p> {
    source: &'p str,
    values: BTreeMap<&'p str, &'p str>,
}

impl<'p> Parameters<'p> {
    fn parse(source: &'p str, known: &[&str]) -> Result<Self, ServiceError> {
        let pairs = source.split(',').filter(|pair| !pair.is_empty()).map(|pair| {
            let parameter = pair.split_once('_').filter(|(name, _)| known.contains(name));
            parameter.ok_or_else(|| invalid("A parameter of the action is not known.", pair))
        });
        Ok(Self {
            source,
            values: pairs.collect::<Result<_, _>>()?,
        })
    }

    fn number(&self, name: &str, least: u32, most: u32) -> Result<Option<u32>, ServiceError> {
        let Some(value) = self.values.get(name) else {
            return Ok(None);
        };
        let number = value.parse().ok().filter(|number| (least..=most).contains(number));
        number.map(Some).ok_or_else(|| {
            invalid(
                format!("The value of {name} is not between {least} and {most}."),
                self.source,
            )
        })
    }
}

fn resize(text: &str) -> Result<Resize, ServiceError> {
    let parameters = Parameters::parse(text, &["m", "w", "h", "l", "s", "p", "limit", "color"])?;
    let side = |name| parameters.number(name, 1, MAX_RESULT_SIDE);
    let mode = match parameters.values.get("m") {
        None | Some(&"lfit") => Mode::Fit,
        Some(&"mfit") => Mode::Cover,
        Some(&"fill") => Mode::Fill,
        Some(&"pad") => Mode::Pad,
        Some(&"fixed") => Mode::Fixed,
        Some(_) => return Err(invalid("The mode is not lfit, mfit, fill, pad or fixed.", text)),
    };
    let color = match parameters.values.get("color") {
        None => [255; 3],
        Some(hex) => {
            let number = u32::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 6);
            let [_, red, green, blue] = number
                .ok_or_else(|| invalid("The color is not six hexadecimal digits.", text))?
                .to_be_bytes();
            [red, green, blue]
        }
    };
    let resize = Resize {
        mode,
        width: side("w")?,
        height: side("h")?,
        longer: side("l")?,
        shorter: side("s")?,
        percent: parameters.number("p", 1, 1000)?,
        limit: parameters.number("limit", 0, 1)? != Some(0),
        color,
    };
    let sides = [
        resize.width,
        resize.height,
        resize.longer,
        resize.shorter,
        resize.percent,
    ];
    match sides.iter().any(Option::is_some) {
        true => Ok(resize),
        false => Err(invalid("resize needs one of w, h, l, s and p.", text)),
    }
}

fn crop(text: &str) -> Result<Crop, ServiceError> {
    let parameters = Parameters::parse(text, &["w", "h", "x", "y", "g"])?;
    let gravity = match parameters.values.get("g") {
        None | Some(&"nw") => (0, 0),
        Some(&"north") => (1, 0),
        Some(&"ne") => (2, 0),
        Some(&"west") => (0, 1),
        Some(&"center") => (1, 1),
        Some(&"east") => (2, 1),
        Some(&"sw") => (0, 2),
        Some(&"south") => (1, 2),
        Some(&"se") => (2, 2),
        Some(_) => return Err(invalid("The gravity is not known.", text)),
    };
    Ok(Crop {
        x: parameters.number("x", 0, u32::MAX)?.unwrap_or_default(),
        y: parameters.number("y", 0, u32::MAX)?.unwrap_or_default(),
        width: parameters.number("w", 1, u32::MAX)?,
        height: parameters.number("h", 1, u32::MAX)?,
        gravity,
    })
}

/// Applies an action that changes pixels; the others leave the image as it is.
pub(super) fn apply(action: &Action, image: DynamicImage) -> Result<DynamicImage, ServiceError> {
    match action {
        Action::Resize(resize) => resize.apply(image),
        Action::Crop(crop) => crop.apply(&image),
        Action::Rotate(1) => Ok(image.rotate90()),
        Action::Rotate(2) => Ok(image.rotate180()),
        Action::Rotate(3) => Ok(image.rotate270()),
        _ => Ok(image),
    }
}

impl Resize {
    /// Width and height that are asked for; either may be left open.
    fn wanted(&self, image: &DynamicImage) -> (Option<u32>, Option<u32>) {
        let (width, height) = (image.width(), image.height());
        if let Some(percent) = self.percent.filter(|_| self.width.is_none() && self.height.is_none()) {
            return (Some(scaled(width, percent, 100)), Some(scaled(height, percent, 100)));
        }
        if self.width.is_some() || self.height.is_some() {
            return (self.width, self.height);
        }
        match width >= height {
            true => (self.longer, self.shorter),
            false => (self.shorter, self.longer),
        }
    }

    fn apply(&self, image: DynamicImage) -> Result<DynamicImage, ServiceError> {
        let (width, height) = (image.width(), image.height());
        let (inner, canvas) = match self.wanted(&image) {
            (Some(w), Some(h)) => {
                let by_width = (w, scaled(height, w, width));
                let by_height = (scaled(width, h, height), h);
                let narrow = u64::from(w) * u64::from(height) <= u64::from(h) * u64::from(width);
                let (fit, cover) = if narrow {
                    (by_width, by_height)
                } else {
                    (by_height, by_width)
                };
                match self.mode {
                    Mode::Fit => (fit, fit),
                    Mode::Cover => (cover, cover),
                    Mode::Fill => (cover, (w, h)),
                    Mode::Pad => (fit, (w, h)),
                    Mode::Fixed => ((w, h), (w, h)),
                }
            }
            (Some(w), None) => ((w, scaled(height, w, width)), (w, scaled(height, w, width))),
            (None, Some(h)) => ((scaled(width, h, height), h), (scaled(width, h, height), h)),
            (None, None) => ((width, height), (width, height)),
        };
        // A percentage says itself that the image is to grow.
        if self.limit && self.percent.is_none() && (inner.0 > width || inner.1 > height) {
            return Ok(image);
        }
        for (w, h) in [inner, canvas] {
            if w > MAX_RESULT_SIDE || h > MAX_RESULT_SIDE || u64::from(w) * u64::from(h) > MAX_RESULT_PIXELS {
                return Err(invalid(
                    "The result would be larger than 16384 pixels a side or 16777216 in all.",
                    "",
                ));
            }
        }
        let resized = resized(&image, inner.0, inner.1);
        if inner == canvas {
            return Ok(resized);
        }
        if self.mode == Mode::Fill {
            let (x, y) = (
                (inner.0 - canvas.0.min(inner.0)) / 2,
                (inner.1 - canvas.1.min(inner.1)) / 2,
            );
            return Ok(resized.crop_imm(x, y, canvas.0, canvas.1));
        }
        let [red, green, blue] = self.color;
        let mut padded = RgbaImage::from_pixel(canvas.0, canvas.1, Rgba([red, green, blue, 255]));
        let (x, y) = (
            canvas.0.saturating_sub(inner.0) / 2,
            canvas.1.saturating_sub(inner.1) / 2,
        );
        image::imageops::overlay(&mut padded, &resized, i64::from(x), i64::from(y));
        Ok(padded.into())
    }
}

/// An image in another size. On the way there is an image of floats that is as wide as before and as high as after,
/// which for long thin images may be far larger than both. Those are laid on their side: the lesser of the two ways
/// never has more than 26 million pixels, by the limits of what is decoded and of what may come out.
fn resized(image: &DynamicImage, width: u32, height: u32) -> DynamicImage {
    let upright = u64::from(image.width()) * u64::from(height);
    let on_its_side = u64::from(image.height()) * u64::from(width);
    match upright <= on_its_side {
        true => image.resize_exact(width, height, FilterType::Triangle),
        false => image
            .rotate90()
            .resize_exact(height, width, FilterType::Triangle)
            .rotate270(),
    }
}

/// `side * to / from`, rounded, at least one.
fn scaled(side: u32, to: u32, from: u32) -> u32 {
    let from = u64::from(from.max(1));
    let scaled = (u64::from(side) * u64::from(to) + from / 2) / from;
    u32::try_from(scaled.max(1)).unwrap_or(u32::MAX)
}

impl Crop {
    fn apply(&self, image: &DynamicImage) -> Result<DynamicImage, ServiceError> {
        let part = |size: u32, wanted: Option<u32>, offset: u32, halves: u32| {
            let length = wanted.unwrap_or(size).min(size);
            let start = (u64::from(size - length) * u64::from(halves) / 2) + u64::from(offset);
            let start = u32::try_from(start).ok().filter(|start| *start < size)?;
            Some((start, length.min(size - start)))
        };
        let across = part(image.width(), self.width, self.x, self.gravity.0);
        let down = part(image.height(), self.height, self.y, self.gravity.1);
        let ((x, width), (y, height)) = across
            .zip(down)
            .ok_or_else(|| ServiceError::new(400, "BadRequest", "Advance cut's position is out of image."))?;
        Ok(image.crop_imm(x, y, width, height))
    }
}
