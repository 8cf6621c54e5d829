//! Which part of an upright photo becomes the tensor.

use gapless_resize::Region;

/// The part of a photo of these sides that becomes a tensor of the sides `target`.
///
/// With a `share` it is the largest centred box that has the tensor's aspect ratio, times the share;
/// without, the whole photo. Sides are rounded down, and so is the offset: for a square target this is
/// the crop of `int(share * short side)` that the EfficientNet and TensorFlow pipelines take.
pub(crate) fn region(photo: (u32, u32), target: (u32, u32), share: f64) -> Region {
    if share == 0.0 {
        return Region { left: 0, top: 0, width: photo.0, height: photo.1 };
    }
    let (width, height) = (f64::from(photo.0), f64::from(photo.1));
    let aspect = f64::from(target.0) / f64::from(target.1);
    let fitting = (width.min(height * aspect), height.min(width / aspect));
    let side = |fitting: f64, most: u32| ((fitting * share) as u32).clamp(1, most);
    let (width, height) = (side(fitting.0, photo.0), side(fitting.1, photo.1));
    Region { left: (photo.0 - width) / 2, top: (photo.1 - height) / 2, width, height }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(left: u32, top: u32, width: u32, height: u32) -> Region {
        Region { left, top, width, height }
    }

    #[test]
    fn a_square_is_a_share_of_the_short_side() {
        assert_eq!(region((640, 427), (224, 224), 0.875), boxed(133, 27, 373, 373));
        assert_eq!(region((427, 640), (224, 224), 0.875), boxed(27, 133, 373, 373));
    }

    #[test]
    fn the_box_has_the_aspect_ratio_of_the_tensor() {
        assert_eq!(region((400, 400), (200, 100), 1.0), boxed(0, 100, 400, 200));
        assert_eq!(region((400, 400), (200, 100), 0.5), boxed(100, 150, 200, 100));
    }

    #[test]
    fn without_a_share_the_whole_photo_is_taken() {
        assert_eq!(region((7, 3), (224, 224), 0.0), boxed(0, 0, 7, 3));
    }

    #[test]
    fn the_box_is_never_empty_nor_outside() {
        for photo in [(1, 1), (1, 8192), (8192, 1), (3, 2)] {
            for target in [(1, 1), (224, 224), (1, 5000), (5000, 1)] {
                for share in [1e-9, 0.3, 0.875, 1.0] {
                    let region = region(photo, target, share);
                    assert!(region.width >= 1 && region.left + region.width <= photo.0);
                    assert!(region.height >= 1 && region.top + region.height <= photo.1);
                }
            }
        }
    }
}
