//! Half-precision floats (IEEE 754 binary16): one sign bit, five of exponent, ten of fraction.

/// The nearest half float, ties to even; infinite beyond 65504.
pub(crate) fn round(x: f32) -> u16 {
    let bits = x.to_bits();
    let sign = (bits >> 16) as u16 & 0x8000;
    let magnitude = bits & 0x7fff_ffff;
    let half = match magnitude {
        // NaN stays one.
        0x7f80_0001.. => 0x7e00,
        // 65520 and above round to infinity.
        0x477f_f000.. => 0x7c00,
        // Normal: the exponent is rebiased and the fraction cut from 23 to 10 bits. A carry out of it is the next exponent.
        0x3880_0000.. => {
            let rebiased = magnitude - (112 << 23);
            nearest(rebiased, 13)
        }
        // Subnormal: multiples of 2⁻²⁴. Below half of one, zero.
        0x3300_0000.. => {
            let fraction = magnitude & 0x007f_ffff | 0x0080_0000;
            nearest(fraction, 126 - (magnitude >> 23))
        }
        _ => 0,
    };
    sign | half
}

/// `bits` without its last `shift`, rounded.
fn nearest(bits: u32, shift: u32) -> u16 {
    let (kept, lost, tie) = (bits >> shift, bits & ((1 << shift) - 1), 1 << (shift - 1));
    (kept + u32::from(lost > tie || lost == tie && kept & 1 == 1)) as u16
}

/// The float that a half float is.
#[inline]
pub(crate) fn widen(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let magnitude = u32::from(half & 0x7fff);
    let bits = match magnitude {
        0x7c01.. => 0x7fc0_0000 | magnitude << 13,
        0x7c00 => 0x7f80_0000,
        0x0400.. => (magnitude << 13) + (112 << 23),
        // A multiple of 2⁻²⁴.
        _ => (magnitude as f32 * f32::from_bits(0x3380_0000)).to_bits(),
    };
    f32::from_bits(sign | bits)
}

#[cfg(test)]
mod tests {
    use super::{round, widen};
    use crate::kernels::supported;

    #[test]
    fn every_half_survives_and_neighbours_round_to_it() {
        for half in 0..=u16::MAX {
            let float = widen(half);
            if float.is_nan() {
                assert!(widen(round(float)).is_nan());
                continue;
            }
            assert_eq!(round(float), half, "{half:#06x}");
            // Midways to the next greater magnitude go to the even one, and what is nearer to either goes there.
            if (half & 0x7fff) < 0x7bff {
                let middle = f64::midpoint(f64::from(float), f64::from(widen(half + 1))) as f32;
                assert_eq!(round(middle), half + (half & 1), "{half:#06x}");
                assert_eq!(round(f32::from_bits(middle.to_bits() - 1)), half, "{half:#06x}");
                assert_eq!(round(f32::from_bits(middle.to_bits() + 1)), half + 1, "{half:#06x}");
            }
        }
        assert_eq!((round(65519.0), round(65520.0), round(1e9)), (0x7bff, 0x7c00, 0x7c00));
        assert_eq!((round(f32::NEG_INFINITY), round(1e-30), round(-1e-30)), (0xfc00, 0, 0x8000));
    }

    #[test]
    fn every_family_widens_alike() {
        let halves: Vec<u16> = (0..=u16::MAX).collect();
        for family in supported() {
            for length in [0, 1, 7, 8, 9, 15, 16, 17, 31, 65_536] {
                let mut floats = vec![1.0; length];
                (family.widen)(&halves[65_536 - length..], &mut floats);
                for (half, float) in halves[65_536 - length..].iter().zip(floats) {
                    assert_eq!(widen(*half).to_bits(), float.to_bits(), "{}: {half:#06x}", family.name);
                }
            }
        }
    }
}
