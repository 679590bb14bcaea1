//! Is a large odd number prime? The strong (Miller-Rabin) test, by Montgomery's multiplication.
//!
//! A key is made of two primes out of some eighty candidates; nearly all of the time goes into raising numbers to a
//! power here, so squares take half the products and the first base is 2, which is multiplied with by a shift. Times
//! depend on the numbers: this looks for primes, and never works on a message.

/// An odd number above 1 whose highest bit is set in its highest word; words are in ascending order.
pub(super) struct Odd<'a> {
    words: &'a [u64],
    /// `-1 / words` modulo 2^64.
    inverse: u64,
    /// How often 2 divides the number less one.
    twos: usize,
}

/// Where products are made.
struct Scratch(Vec<u64>);

impl<'a> Odd<'a> {
    /// `None` for what is even or has its highest bit clear.
    pub(super) fn new(words: &'a [u64]) -> Option<Self> {
        let (lowest, highest) = (*words.first()?, *words.last()?);
        if lowest & 1 == 0 || highest >> 63 == 0 {
            return None;
        }
        // Each of Newton's steps doubles the bits that are right; the first guess has three of them.
        let inverse = (0..5)
            .fold(lowest, |guess, _| guess.wrapping_mul(2_u64.wrapping_sub(lowest.wrapping_mul(guess))));
        let below = |at: usize| if at == 0 { lowest - 1 } else { words[at] };
        let zeros = (0..words.len()).find(|at| below(*at) != 0)?;
        let twos = zeros * 64 + below(zeros).trailing_zeros() as usize;
        Some(Self { words, inverse: inverse.wrapping_neg(), twos })
    }

    /// Whether it passes the strong test to base 2, which one composite number of such a size in very many does.
    pub(super) fn passes_two(&self) -> bool {
        let double = |number: &mut [u64], _: &mut Scratch| self.double(number);
        let mut two = self.one();
        self.double(&mut two);
        self.passes(&two, double)
    }

    /// Whether it passes the strong test to `base`, of as many words, and below the number.
    pub(super) fn passes_base(&self, base: &[u64]) -> bool {
        // A random number below this one stands for itself times a power of 2, which is as random.
        self.passes(base, |number, scratch| self.multiply(number, base, scratch))
    }

    /// The test for `base` in Montgomery's form; `times_base` multiplies with it.
    fn passes(&self, base: &[u64], times_base: impl Fn(&mut [u64], &mut Scratch)) -> bool {
        let one = self.one();
        let mut minus_one = self.words.to_vec();
        subtract(&mut minus_one, &one);
        let mut scratch = Scratch(vec![0; 2 * self.words.len()]);
        let mut power = base.to_vec();
        // The highest bit of the exponent is the base itself.
        for bit in (self.twos..self.words.len() * 64 - 1).rev() {
            self.square(&mut power, &mut scratch);
            if self.words[bit / 64] >> (bit % 64) & 1 == 1 {
                times_base(&mut power, &mut scratch);
            }
        }
        if power == one || power == minus_one {
            return true;
        }
        for _ in 1..self.twos {
            self.square(&mut power, &mut scratch);
            if power == minus_one {
                return true;
            }
        }
        false
    }

    /// 1 in Montgomery's form: a power of 2 less the number, as its highest bit is set.
    fn one(&self) -> Vec<u64> {
        let mut one = vec![0; self.words.len()];
        subtract(&mut one, self.words);
        one
    }

    fn double(&self, number: &mut [u64]) {
        let mut over = 0;
        for word in number.iter_mut() {
            let next = *word >> 63;
            *word = *word << 1 | over;
            over = next;
        }
        self.below(number, over == 1);
    }

    fn multiply(&self, number: &mut [u64], by: &[u64], Scratch(wide): &mut Scratch) {
        let count = number.len();
        wide.fill(0);
        for (at, word) in number.iter().enumerate() {
            wide[at + count] = add_row(&mut wide[at..at + count], by, *word);
        }
        self.reduce(wide, number);
    }

    fn square(&self, number: &mut [u64], Scratch(wide): &mut Scratch) {
        let count = number.len();
        wide.fill(0);
        // Products of different words, once each.
        for at in 0..count - 1 {
            wide[at + count] = add_row(&mut wide[2 * at + 1..at + count], &number[at + 1..], number[at]);
        }
        // Twice those, and the squares of the words.
        let (mut over, mut carry) = (0, 0);
        for (pair, word) in wide.chunks_exact_mut(2).zip(number.iter()) {
            let square = u128::from(*word) * u128::from(*word);
            let (low, high) = (pair[0] << 1 | over, pair[1] << 1 | pair[0] >> 63);
            over = pair[1] >> 63;
            let sum = u128::from(low) + u128::from(low_word(square)) + u128::from(carry);
            pair[0] = low_word(sum);
            let sum = u128::from(high) + (square >> 64) + (sum >> 64);
            pair[1] = low_word(sum);
            carry = low_word(sum >> 64);
        }
        self.reduce(wide, number);
    }

    /// Montgomery's reduction: `wide` by the power of 2 that has as many words as the number.
    fn reduce(&self, wide: &mut [u64], into: &mut [u64]) {
        let count = self.words.len();
        let mut over = 0;
        for at in 0..count {
            let factor = wide[at].wrapping_mul(self.inverse);
            let carry = add_row(&mut wide[at..at + count], self.words, factor);
            let sum = u128::from(wide[at + count]) + u128::from(carry) + u128::from(over);
            wide[at + count] = low_word(sum);
            over = low_word(sum >> 64);
        }
        into.copy_from_slice(&wide[count..]);
        self.below(into, over == 1);
    }

    /// Takes the number off once, where what is there is not below it.
    fn below(&self, number: &mut [u64], over: bool) {
        if over || number.iter().rev().ge(self.words.iter().rev()) {
            subtract(number, self.words);
        }
    }
}

/// Adds `row` times `by`; gives what is carried out of it.
fn add_row(sum: &mut [u64], row: &[u64], by: u64) -> u64 {
    let mut carry = 0;
    for (word, other) in sum.iter_mut().zip(row) {
        let product = u128::from(*other) * u128::from(by) + u128::from(*word) + u128::from(carry);
        *word = low_word(product);
        carry = low_word(product >> 64);
    }
    carry
}

/// Takes `other` off, modulo the power of 2 that has as many words.
fn subtract(number: &mut [u64], other: &[u64]) {
    let mut borrow = false;
    for (word, other) in number.iter_mut().zip(other) {
        let (less, first) = word.overflowing_sub(*other);
        let (less, second) = less.overflowing_sub(u64::from(borrow));
        (*word, borrow) = (less, first || second);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower word is what is wanted")]
fn low_word(wide: u128) -> u64 {
    wide as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rsa::BigUint;

    fn whole(words: &[u64]) -> BigUint {
        BigUint::from_bytes_le(&words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>())
    }

    /// The same test by the book, with another crate's numbers.
    fn by_the_book(number: &BigUint, base: &BigUint) -> bool {
        let one = BigUint::from(1_u8);
        let below = number - &one;
        let twos = below.trailing_zeros().unwrap_or(0);
        let mut power = base.modpow(&(&below >> twos), number);
        (0..twos).any(|at| {
            let passes = power == below || at == 0 && power == one;
            power = &power * &power % number;
            passes
        })
    }

    proptest! {
        #[test]
        fn agrees_with_the_book(mut words in prop::collection::vec(any::<u64>(), 1..5), base in any::<u64>()) {
            words[0] |= 1;
            *words.last_mut().expect("a word") |= 1 << 63;
            let odd = Odd::new(&words).expect("odd and large");
            let number = whole(&words);
            prop_assert_eq!(odd.passes_two(), by_the_book(&number, &2_u8.into()));
            let mut base: Vec<u64> = words.iter().map(|word| word.wrapping_mul(base)).collect();
            *base.last_mut().expect("a word") >>= 1;
            base[0] |= 2;
            // In Montgomery's form, `base` stands for itself divided by the power of 2.
            let power = BigUint::from(1_u8) << (64 * words.len());
            let inverse = power.modpow(&(&number - 2_u8), &number);
            if &power * &inverse % &number == BigUint::from(1_u8) {
                let base_itself = whole(&base) * inverse % &number;
                prop_assert_eq!(odd.passes_base(&base), by_the_book(&number, &base_itself));
            }
        }
    }

    #[test]
    fn primes_pass_and_pseudoprimes_do_not_for_long() {
        // The largest primes below powers of 2, and twice a Mersenne prime's neighbour.
        for (bits, less) in [(64_usize, 59_u64), (128, 159), (256, 189), (512, 569), (1024, 105)] {
            let mut words = vec![u64::MAX; bits / 64];
            words[0] = (1_u64 << 63) - 1 + (1 << 63) - less + 1;
            let odd = Odd::new(&words).expect("odd and large");
            assert!(odd.passes_two(), "2^{bits} - {less}");
            let base = vec![0x1234_5678_9abc_def1; words.len()];
            assert!(odd.passes_base(&base), "2^{bits} - {less}");
            words[0] -= 2;
            assert!(!Odd::new(&words).expect("odd and large").passes_two(), "2^{bits} - {less} - 2");
        }
        assert!(Odd::new(&[4]).is_none() && Odd::new(&[7]).is_none() && Odd::new(&[]).is_none());
    }
}
