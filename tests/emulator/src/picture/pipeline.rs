//! The actions of a processing string, in their order, from a file to a file.

use std::io::Cursor;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits, Rgba, RgbaImage};

use super::actions::{self, Action};
use super::{MAX_ACTIONS, MAX_PIXELS, MAX_SIDE, Processed, invalid, name, too_large, too_slow};
use crate::error::ServiceError;

const DEFAULT_QUALITY: u8 = 80;
/// Most memory that a decoder may ask for.
const MAX_ALLOCATION: u64 = 256 * 1024 * 1024;
/// How much thoroughness is given up for speed when the colours of a GIF are chosen, of 1 to 30.
const GIF_SPEED: i32 = 10;

/// What is to be done to an image.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pipeline {
    actions: Vec<Action>,
}

impl Pipeline {
    /// Reads `image/{action},{parameters}/{action}...`.
    pub(crate) fn parse(process: &str) -> Result<Self, ServiceError> {
        let (kind, rest) = process.split_once('/').unwrap_or((process, ""));
        match kind {
            "image" if !rest.is_empty() => {}
            "image" | "" => return Err(invalid("The processing string has no action.", process)),
            other => return Err(ServiceError::not_implemented(format!("the processing {other}"))),
        }
        if rest.split('/').count() > MAX_ACTIONS {
            return Err(invalid(
                format!("The processing string has more than {MAX_ACTIONS} actions."),
                process,
            ));
        }
        let actions = rest.split('/').map(Action::parse).collect::<Result<Vec<_>, _>>()?;
        if actions.len() > 1 && actions.contains(&Action::Info) {
            return Err(invalid("The action info stands alone.", process));
        }
        Ok(Self { actions })
    }

    /// Does it all, on the thread of the caller, unless it is told to stop between two actions.
    pub(super) fn run(&self, file: &[u8], stopped: &AtomicBool) -> Result<Processed, ServiceError> {
        let format = image::guess_format(file).map_err(|_| unsupported())?;
        let format_name = name(format).ok_or_else(unsupported)?;
        let (width, height) = ImageReader::with_format(Cursor::new(file), format)
            .into_dimensions()
            .map_err(|_| unsupported())?;
        let pixels = u64::from(width) * u64::from(height);
        if width > MAX_SIDE || height > MAX_SIDE || pixels > MAX_PIXELS {
            return Err(too_large(
                "sides have at most 30000 pixels, and the emulator takes 40 million in all",
            ));
        }
        let frames = frames(file, format)?;
        if self.actions == [Action::Info] {
            let value = |text: String| serde_json::json!({ "value": text });
            let info = serde_json::json!({
                "FileSize": value(file.len().to_string()),
                "Format": value(format_name.to_owned()),
                "FrameCount": value(frames.to_string()),
                "ImageHeight": value(height.to_string()),
                "ImageWidth": value(width.to_string()),
            });
            return Ok(Processed {
                content_type: "application/json",
                content: Bytes::from(info.to_string()),
            });
        }
        if frames > 1 {
            return Err(ServiceError::not_implemented("the processing of animated images"));
        }
        let mut image = decode(file, format, self.actions.contains(&Action::AutoOrient(true)))?;
        let (mut to, mut quality) = (format, None);
        let go_on = || match stopped.load(Ordering::Relaxed) {
            true => Err(too_slow()),
            false => Ok(()),
        };
        for action in &self.actions {
            go_on()?;
            match action {
                Action::Format(format) => to = *format,
                Action::Quality(percent) => quality = Some(*percent),
                other => image = actions::apply(other, image)?,
            }
        }
        go_on()?;
        encode(&image, to, quality)
    }
}

fn unsupported() -> ServiceError {
    ServiceError::new(400, "BadRequest", "This image format is not supported.")
}

/// How many frames an image has; for WebP two stands for more than one. Nothing is decoded for it.
fn frames(file: &[u8], format: ImageFormat) -> Result<u64, ServiceError> {
    match format {
        ImageFormat::Gif => {
            let mut options = gif::DecodeOptions::new();
            options.skip_frame_decoding(true);
            let mut decoder = options.read_info(Cursor::new(file)).map_err(|_| unsupported())?;
            let mut count = 0;
            while decoder.next_frame_info().map_err(|_| unsupported())?.is_some() {
                count += 1;
            }
            Ok(count)
        }
        ImageFormat::WebP => {
            let decoder = WebPDecoder::new(Cursor::new(file)).map_err(|_| unsupported())?;
            Ok(if decoder.has_animation() { 2 } else { 1 })
        }
        _ => Ok(1),
    }
}

fn decode(file: &[u8], format: ImageFormat, orient: bool) -> Result<DynamicImage, ServiceError> {
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOCATION);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|_| unsupported())?;
    if decoder.total_bytes() > MAX_ALLOCATION {
        return Err(too_large("decoded it takes more than 256 MB"));
    }
    let orientation = decoder.orientation().ok().filter(|_| orient);
    let mut image = DynamicImage::from_decoder(decoder).map_err(|_| unsupported())?;
    if let Some(orientation) = orientation {
        image.apply_orientation(orientation);
    }
    Ok(image)
}

fn encode(image: &DynamicImage, format: ImageFormat, quality: Option<u8>) -> Result<Processed, ServiceError> {
    let failed = |error: image::ImageError| ServiceError::internal(format!("The image cannot be written: {error}."));
    let mut out = Cursor::new(Vec::new());
    match format {
        ImageFormat::Jpeg => {
            let encoder = JpegEncoder::new_with_quality(&mut out, quality.unwrap_or(DEFAULT_QUALITY));
            on_white(image)
                .into_rgb8()
                .write_with_encoder(encoder)
                .map_err(failed)?;
        }
        ImageFormat::Bmp => image.to_rgb8().write_to(&mut out, format).map_err(failed)?,
        ImageFormat::WebP if quality.is_some() => {
            return Err(ServiceError::not_implemented(
                "the quality of WebP, which is written without loss",
            ));
        }
        ImageFormat::Gif => GifEncoder::new_with_speed(&mut out, GIF_SPEED)
            .encode_frame(image::Frame::new(image.to_rgba8()))
            .map_err(failed)?,
        // Eight bits a channel are what every format here can hold.
        _ if image.color().has_alpha() => image.to_rgba8().write_to(&mut out, format).map_err(failed)?,
        _ => image.to_rgb8().write_to(&mut out, format).map_err(failed)?,
    }
    Ok(Processed {
        content_type: format.to_mime_type(),
        content: Bytes::from(out.into_inner()),
    })
}

/// JPEG knows no transparency.
fn on_white(image: &DynamicImage) -> DynamicImage {
    if !image.color().has_alpha() {
        return image.clone();
    }
    let mut canvas = RgbaImage::from_pixel(image.width(), image.height(), Rgba([255, 255, 255, 255]));
    image::imageops::overlay(&mut canvas, image, 0, 0);
    canvas.into()
}
