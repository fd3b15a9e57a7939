//! Shamir's scheme over GF(256), as SOPS splits a data key between key groups.

/// Returns the secret of enough parts; `None` if they cannot be parts of one secret. The last byte of a part is its place.
pub(super) fn combine(parts: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut points = Vec::new();
    for part in parts {
        let (place, values) = part.split_last()?;
        points.push((*place, values));
    }
    let (_, first) = points.first()?;
    let length = first.len();
    let is_one_secret = points.len() > 1
        && points.iter().enumerate().all(|(at, (place, values))| {
            let earlier = points.iter().take(at);
            values.len() == length && earlier.clone().all(|(other, _)| other != place)
        });
    if !is_one_secret {
        return None;
    }
    let byte = |at: usize| {
        let values = points
            .iter()
            .filter_map(|(place, values)| Some((*place, *values.get(at)?)));
        at_zero(&values.collect::<Vec<_>>())
    };
    Some((0..length).map(byte).collect())
}

/// Returns the value at zero of the polynomial through the points.
fn at_zero(points: &[(u8, u8)]) -> u8 {
    let terms = points.iter().map(|(place, value)| {
        let others = points.iter().filter(|(other, _)| other != place);
        let basis = others.fold(1, |basis, (other, _)| {
            multiply(basis, multiply(*other, inverse(other ^ place)))
        });
        multiply(*value, basis)
    });
    terms.fold(0, |sum, term| sum ^ term)
}

/// Multiplies in the field of AES, in a time that does not depend on the factors.
fn multiply(mut left: u8, mut right: u8) -> u8 {
    let mut product = 0;
    for _ in 0..8 {
        product ^= left & 0u8.wrapping_sub(right & 1);
        let carry = 0u8.wrapping_sub(left >> 7);
        left = (left << 1) ^ (carry & 0x1b);
        right >>= 1;
    }
    product
}

/// Returns the inverse: the 254th power.
fn inverse(value: u8) -> u8 {
    let mut power = value;
    for _ in 0..6 {
        power = multiply(multiply(power, power), value);
    }
    multiply(power, power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_but_zero_has_an_inverse() {
        for value in 1..=255 {
            assert_eq!(multiply(value, inverse(value)), 1, "{value}");
        }
    }

    #[test]
    fn any_two_points_of_a_line_give_its_value_at_zero() {
        let line = |at: u8| 0x2a ^ multiply(7, at);
        for (one, other) in [(1, 2), (2, 200), (255, 3)] {
            let parts = [vec![line(one), one], vec![line(other), other]];
            assert_eq!(combine(&parts), Some(vec![0x2a]));
        }
    }

    #[test]
    fn parts_that_do_not_belong_together_are_refused() {
        assert_eq!(combine(&[vec![1, 1]]), None, "one part is no secret");
        assert_eq!(
            combine(&[vec![1, 1], vec![2, 1]]),
            None,
            "the same place twice"
        );
        assert_eq!(combine(&[vec![1, 1], vec![2, 2, 2]]), None, "other lengths");
        assert_eq!(combine(&[vec![], vec![]]), None, "nothing");
    }
}
