//! Processing of images: `image/resize,w_100/format,png` and its relatives, with limits on what is decoded.

mod actions;
mod pipeline;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use image::ImageFormat;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::error::ServiceError;
pub(crate) use pipeline::Pipeline;

/// Largest file that is processed: 20 MiB, as at the service.
pub(crate) const MAX_FILE: u64 = 20 * 1024 * 1024;
/// Longest side and most pixels of an image that is decoded. The service takes more; this bounds the memory of a laptop.
const MAX_SIDE: u32 = 30_000;
const MAX_PIXELS: u64 = 40_000_000;
/// Longest side and most pixels of a result, as at the service.
const MAX_RESULT_SIDE: u32 = 16_384;
const MAX_RESULT_PIXELS: u64 = 16_777_216;

/// Most actions of a processing string; the emulator's own limit.
const MAX_ACTIONS: usize = 20;
/// How long a request waits for a worker, and then for its image.
const PATIENCE: Duration = Duration::from_secs(30);

/// Decoding takes memory, so only so many images are worked on at once.
static WORKERS: Semaphore = Semaphore::const_new(2);

/// What processing came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Processed {
    pub(crate) content_type: &'static str,
    pub(crate) content: Bytes,
}

/// The right to work on an image. It is taken before the file is read, so that requests that wait hold no files.
pub(crate) struct Worker(SemaphorePermit<'static>);

impl Worker {
    pub(crate) async fn hire() -> Result<Self, ServiceError> {
        let busy = || ServiceError::new(503, "ServiceUnavailable", "Too many images are being processed.");
        let permit = timeout(PATIENCE, WORKERS.acquire()).await.map_err(|_| busy())?;
        permit.map(Self).map_err(|_| busy())
    }

    /// Processes a file on a thread of its own. The worker is free again when that thread is done, even if nobody
    /// waits for it any more.
    pub(crate) async fn process(self, file: Vec<u8>, pipeline: Pipeline) -> Result<Processed, ServiceError> {
        let stop = Stop::default();
        let stopped = Arc::clone(&stop.0);
        let permit = self.0;
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            pipeline.run(&file, &stopped)
        });
        match timeout(PATIENCE, work).await {
            Ok(done) => done.map_err(|_| ServiceError::internal("The processing of an image ended early."))?,
            Err(_) => Err(too_slow()),
        }
    }
}

/// Tells the thread to stop when the request is dropped or has waited too long.
#[derive(Default)]
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn too_slow() -> ServiceError {
    ServiceError::new(400, "ImageTooLarge", "The image takes too long to process.")
}

/// The name of a format in parameters and answers; nothing for formats that are not processed.
fn name(format: ImageFormat) -> Option<&'static str> {
    match format {
        ImageFormat::Jpeg => Some("jpg"),
        ImageFormat::Png => Some("png"),
        ImageFormat::Gif => Some("gif"),
        ImageFormat::WebP => Some("webp"),
        ImageFormat::Bmp => Some("bmp"),
        _ => None,
    }
}

fn invalid(message: impl Into<String>, value: &str) -> ServiceError {
    ServiceError::invalid_argument(message, "x-oss-process", value)
}

fn too_large(why: &str) -> ServiceError {
    ServiceError::new(400, "ImageTooLarge", format!("The image is too large: {why}."))
}

/// The refusal of a file above [`MAX_FILE`].
pub(crate) fn file_too_large() -> ServiceError {
    too_large("files have at most 20 MB")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{DynamicImage, GenericImageView as _, Rgba, RgbaImage};

    use super::*;

    /// Red left half, blue right half.
    fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let image = RgbaImage::from_fn(width, height, |x, _| match x < width / 2 {
            true => Rgba([255, 0, 0, 255]),
            false => Rgba([0, 0, 255, 255]),
        });
        let mut out = Cursor::new(Vec::new());
        DynamicImage::from(image)
            .into_rgb8()
            .write_to(&mut out, format)
            .unwrap();
        out.into_inner()
    }

    fn run(file: &[u8], process: &str) -> Result<Processed, ServiceError> {
        Pipeline::parse(process)?.run(file, &AtomicBool::new(false))
    }

    fn size(file: &[u8], process: &str) -> (u32, u32) {
        let processed = run(file, process).unwrap();
        image::load_from_memory(&processed.content).unwrap().dimensions()
    }

    #[test]
    fn sizes_follow_mode_and_limit() {
        let file = picture(80, 40, ImageFormat::Png);
        for (process, expected) in [
            ("image/resize,w_40", (40, 20)),
            ("image/resize,h_10", (20, 10)),
            ("image/resize,w_40,h_40", (40, 20)),
            ("image/resize,m_mfit,w_20,h_20", (40, 20)),
            ("image/resize,m_fill,w_20,h_20", (20, 20)),
            ("image/resize,m_pad,w_20,h_20", (20, 20)),
            ("image/resize,m_fixed,w_10,h_30", (10, 30)),
            ("image/resize,l_20", (20, 10)),
            ("image/resize,s_20", (40, 20)),
            ("image/resize,p_50", (40, 20)),
            ("image/resize,w_160", (80, 40)),
            ("image/resize,w_160,limit_0", (160, 80)),
            ("image/crop,w_10,h_10", (10, 10)),
            ("image/crop,x_75,y_35,w_10,h_10", (5, 5)),
            ("image/crop,w_10,h_10,g_se", (10, 10)),
            ("image/rotate,90", (40, 80)),
            ("image/rotate,180", (80, 40)),
            ("image/resize,w_40/rotate,270/crop,w_5", (5, 40)),
        ] {
            assert_eq!(size(&file, process), expected, "{process}");
        }
    }

    #[test]
    fn gravity_chooses_the_part() {
        let file = picture(80, 40, ImageFormat::Png);
        for (gravity, expected) in [("west", [255, 0, 0, 255]), ("ne", [0, 0, 255, 255])] {
            let processed = run(&file, &format!("image/crop,w_10,h_10,g_{gravity}")).unwrap();
            let image = image::load_from_memory(&processed.content).unwrap();
            assert_eq!(image.get_pixel(5, 5).0, expected, "{gravity}");
        }
    }

    #[test]
    fn formats_change_and_are_told() {
        for format in [
            ImageFormat::Png,
            ImageFormat::Jpeg,
            ImageFormat::Gif,
            ImageFormat::WebP,
            ImageFormat::Bmp,
        ] {
            let file = picture(8, 4, format);
            for (to, kind) in [
                ("jpg", "image/jpeg"),
                ("png", "image/png"),
                ("gif", "image/gif"),
                ("webp", "image/webp"),
                ("bmp", "image/bmp"),
            ] {
                let processed = run(&file, &format!("image/format,{to}")).unwrap();
                assert_eq!(processed.content_type, kind);
                let found = image::guess_format(&processed.content).unwrap();
                assert_eq!(name(found), Some(to), "{format:?}");
            }
            let info = run(&file, "image/info").unwrap();
            let info: serde_json::Value = serde_json::from_slice(&info.content).unwrap();
            assert_eq!(info["ImageWidth"]["value"], "8");
            assert_eq!(info["ImageHeight"]["value"], "4");
            assert_eq!(info["FrameCount"]["value"], "1");
            assert_eq!(info["FileSize"]["value"], file.len().to_string());
            assert_eq!(info["Format"]["value"], name(format).unwrap());
        }
    }

    #[test]
    fn less_quality_makes_smaller_files() {
        let file = picture(200, 200, ImageFormat::Jpeg);
        let (good, bad) = (
            run(&file, "image/quality,Q_95").unwrap(),
            run(&file, "image/quality,Q_5").unwrap(),
        );
        assert!(bad.content.len() < good.content.len());
    }

    #[test]
    fn wrong_parameters_and_files_have_their_codes() {
        let file = picture(80, 40, ImageFormat::Png);
        for (process, code) in [
            ("image/resize", "InvalidArgument"),
            ("image/resize,w_0", "InvalidArgument"),
            ("image/resize,w_a", "InvalidArgument"),
            ("image/resize,w_16385", "InvalidArgument"),
            ("image/resize,m_wild,w_1", "InvalidArgument"),
            ("image/resize,z_1", "InvalidArgument"),
            ("image/resize,p_1001", "InvalidArgument"),
            ("image/resize,m_fixed,w_16384,h_16384,limit_0", "InvalidArgument"),
            ("image/resize,m_pad,w_9,h_9,color_12", "InvalidArgument"),
            ("image/crop,x_80,w_1", "BadRequest"),
            ("image/crop,g_up", "InvalidArgument"),
            ("image/rotate,361", "InvalidArgument"),
            ("image/rotate,45", "NotImplemented"),
            ("image/format,heic", "NotImplemented"),
            ("image/format,x", "InvalidArgument"),
            ("image/watermark,text_eA", "NotImplemented"),
            ("image/info/resize,w_1", "InvalidArgument"),
            ("video/snapshot,t_1", "NotImplemented"),
            ("image/", "InvalidArgument"),
            ("", "InvalidArgument"),
        ] {
            assert_eq!(run(&file, process).unwrap_err().code, code, "{process}");
        }
        for file in [&b"hello"[..], b"", &file[..40], b"\x89PNG\r\n\x1a\n"] {
            assert_eq!(run(file, "image/resize,w_1").unwrap_err().code, "BadRequest");
        }
    }

    #[test]
    fn bombs_are_refused_before_they_are_decoded() {
        // A BMP head that promises 30000 times 30000 pixels.
        let mut bomb = picture(1, 1, ImageFormat::Bmp);
        bomb[18..22].copy_from_slice(&30_000_u32.to_le_bytes());
        bomb[22..26].copy_from_slice(&30_000_u32.to_le_bytes());
        assert_eq!(run(&bomb, "image/resize,w_1").unwrap_err().code, "ImageTooLarge");
    }
    /// A GIF of one frame, which is larger than the picture that it is a part of.
    fn gif_with_frame(width: u16, height: u16) -> Vec<u8> {
        let mut gif = picture(1, 1, ImageFormat::Gif);
        let descriptor = gif.windows(5).position(|bytes| bytes == [0x2C, 0, 0, 0, 0]).unwrap();
        gif[descriptor + 5..descriptor + 7].copy_from_slice(&width.to_le_bytes());
        gif[descriptor + 7..descriptor + 9].copy_from_slice(&height.to_le_bytes());
        gif
    }

    #[test]
    fn giant_frames_of_tiny_pictures_take_no_memory() {
        let bomb = gif_with_frame(u16::MAX, u16::MAX);
        assert_eq!(run(&bomb, "image/resize,w_1").unwrap_err().code, "BadRequest");
        // Nothing is decoded to count frames.
        assert_eq!(run(&bomb, "image/info").unwrap().content_type, "application/json");
    }

    #[test]
    fn long_thin_pictures_grow_across_without_exploding() {
        let wide = picture(30_000, 1, ImageFormat::Png);
        // By way of 30000 columns of 16384 rows this would take 8 GB.
        assert_eq!(size(&wide, "image/resize,m_fixed,w_2,h_16384,limit_0"), (2, 16_384));
        let high = picture(2, 30_000, ImageFormat::Png);
        assert_eq!(size(&high, "image/resize,m_fixed,w_16384,h_2,limit_0"), (16_384, 2));
    }

    #[test]
    fn laid_on_its_side_a_picture_stays_the_same_way_up() {
        let wide = picture(300, 1, ImageFormat::Png);
        let processed = run(&wide, "image/resize,m_fixed,w_4,h_100,limit_0").unwrap();
        let image = image::load_from_memory(&processed.content).unwrap();
        assert_eq!(image.get_pixel(0, 50).0, [255, 0, 0, 255]);
        assert_eq!(image.get_pixel(3, 50).0, [0, 0, 255, 255]);
    }

    #[test]
    fn actions_are_counted_and_end_with_the_request() {
        let file = picture(8, 4, ImageFormat::Png);
        let turns = |times: usize| format!("image{}", "/rotate,90".repeat(times));
        assert_eq!(size(&file, &turns(MAX_ACTIONS)), (8, 4));
        let error = run(&file, &turns(MAX_ACTIONS + 1)).unwrap_err();
        assert_eq!(error.code, "InvalidArgument");
        let gone = Stop::default();
        let flag = Arc::clone(&gone.0);
        drop(gone);
        let pipeline = Pipeline::parse("image/rotate,90").unwrap();
        assert_eq!(pipeline.run(&file, &flag).unwrap_err(), too_slow());
    }
}
