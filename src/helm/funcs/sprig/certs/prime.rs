//! Large primes for RSA keys.
//!
//! From a random odd number on, what a small prime divides is sieved out; of what is left about every fortieth number
//! of 1024 bits is prime. A composite fails the strong test to base 2, which is what costs; five rounds with random bases
//! for what passes are what FIPS 186-5 (table B.1) asks for numbers of these sizes.

use super::strong::Odd;
use rsa::BigUint;
use rsa::rand_core::RngCore;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Every number that is divisible by a prime below this is sieved out.
const SIEVED: u32 = 16_384;
/// Odd numbers looked at before a new start is drawn.
const WINDOW: usize = 2048;
const ROUNDS: usize = 5;
/// More cores do not help: a window has some twenty candidates before its first prime.
const CORES: usize = 4;

/// Two random primes of so many words of 64 bits, the two highest bits of which are set, and of which one less is not
/// divisible by `exponent`, a prime below 2^32. They are looked for on several cores; which they are, the random
/// numbers alone decide.
pub(super) fn pair(random: &mut impl RngCore, words: usize, exponent: u32) -> (BigUint, BigUint) {
    let small = small_primes();
    let mut one = || {
        loop {
            let start = start(random, words);
            if let Some(prime) = search(&start, &bases(random, words), &small, exponent) {
                return prime;
            }
        }
    };
    (one(), one())
}

/// Whether a random number is prime, but for a chance that is far below that of a broken machine. Its size is a whole
/// number of words, the highest bit of which is set.
pub(super) fn is_prime(number: &BigUint, random: &mut impl RngCore) -> bool {
    number % 2_u8 != BigUint::from(0_u8) && passes(number, &bases(random, number.bits().div_ceil(64)))
}

/// The first prime of a window of odd numbers, which one in three hundred windows does not have.
fn search(start: &BigUint, bases: &[Vec<u64>], small: &[u32], exponent: u32) -> Option<BigUint> {
    let mut is_composite = vec![false; WINDOW];
    for &divisor in small {
        let rest = remainder(start, divisor);
        // start + 2k = 0 (mod divisor), so k = -start / 2, and half of an odd number's multiple is even.
        let lack = (divisor - rest) % divisor;
        let first = if lack.is_multiple_of(2) { lack / 2 } else { lack.midpoint(divisor) };
        for at in (first as usize..WINDOW).step_by(divisor as usize) {
            is_composite[at] = true;
        }
    }
    let bits = start.bits();
    let candidates: Vec<BigUint> = (0..WINDOW)
        .filter(|at| !is_composite[*at])
        .map(|at| start + BigUint::from(2 * at as u64))
        .take_while(|candidate| candidate.bits() == bits)
        .filter(|candidate| remainder(candidate, exponent) != 1)
        .collect();
    // The next one to look at, and the first that is prime: whoever finds one, those before it have been taken.
    let (next, prime) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
    let look = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(candidate) = candidates.get(at).filter(|_| at < prime.load(Ordering::Relaxed)) else {
                return;
            };
            if passes(candidate, bases) {
                prime.fetch_min(at, Ordering::Relaxed);
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(CORES);
    std::thread::scope(|scope| {
        for _ in 1..cores {
            // Where there is no thread to be had, this one looks at all of them.
            let _thread = std::thread::Builder::new().spawn_scoped(scope, look);
        }
        look();
    });
    candidates.into_iter().nth(prime.into_inner())
}

/// The test to base 2, and then to each of `bases`.
fn passes(number: &BigUint, bases: &[Vec<u64>]) -> bool {
    let words = to_words(&number.to_bytes_le());
    Odd::new(&words).is_some_and(|odd| odd.passes_two() && bases.iter().all(|base| odd.passes_base(base)))
}

/// Random numbers below every number of as many words whose highest bit is set.
fn bases(random: &mut impl RngCore, words: usize) -> Vec<Vec<u64>> {
    (0..ROUNDS)
        .map(|_| {
            let mut bytes = vec![0; words * 8];
            random.fill_bytes(&mut bytes);
            if let Some(highest) = bytes.last_mut() {
                *highest &= 0x7f;
            }
            to_words(&bytes)
        })
        .collect()
}

fn to_words(bytes: &[u8]) -> Vec<u64> {
    bytes.chunks(8).map(|word| word.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))).collect()
}

/// A random odd number with its two highest bits set.
fn start(random: &mut impl RngCore, words: usize) -> BigUint {
    let mut bytes = vec![0; words * 8];
    random.fill_bytes(&mut bytes);
    if let Some(lowest) = bytes.first_mut() {
        *lowest |= 1;
    }
    if let Some(highest) = bytes.last_mut() {
        *highest |= 0xc0;
    }
    BigUint::from_bytes_le(&bytes)
}

fn remainder(number: &BigUint, divisor: u32) -> u32 {
    (number % divisor).to_bytes_le().iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

/// The odd primes below [`SIEVED`].
fn small_primes() -> Vec<u32> {
    let mut is_composite = vec![false; SIEVED as usize];
    let mut out = Vec::new();
    for number in (3..SIEVED).step_by(2) {
        if !is_composite[number as usize] {
            out.push(number);
            for multiple in (number * number..SIEVED).step_by(number as usize) {
                is_composite[multiple as usize] = true;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint_dig::prime::probably_prime;

    /// A generator of numbers for tests (xorshift).
    struct Numbers(u64);

    impl RngCore for Numbers {
        fn next_u32(&mut self) -> u32 {
            u32::try_from(self.next_u64() >> 32).expect("32 bits")
        }
        fn next_u64(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }
        fn fill_bytes(&mut self, out: &mut [u8]) {
            for byte in out {
                *byte = self.next_u64().to_le_bytes()[3];
            }
        }
        fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
            self.fill_bytes(out);
            Ok(())
        }
    }

    #[test]
    fn the_random_numbers_alone_decide() {
        let primes = || pair(&mut Numbers(0x9e37_79b9_7f4a_7c15), 4, 65_537);
        assert_eq!(primes(), primes());
    }

    #[test]
    fn primes_have_their_size_and_are_prime() {
        let mut numbers = Numbers(0x1234_5678_9abc_def1);
        for words in [1, 2, 3, 4] {
            let (first, second) = pair(&mut numbers, words, 65_537);
            for prime in [first, second] {
                assert_eq!(prime.bits(), 64 * words);
                assert_eq!(&prime >> (64 * words - 2), BigUint::from(3_u8));
                assert!(probably_prime(&prime, 40), "{prime}");
                assert!(is_prime(&prime, &mut numbers));
                assert!(!is_prime(&(prime + 1_u8), &mut numbers));
            }
        }
        // The sieve takes away nothing that is prime.
        let small = small_primes();
        assert_eq!((small.len(), small[0], small[563 - 1]), (1899, 3, 4093));
        assert_eq!(remainder(&BigUint::from(1_000_003_u32), 4093), 1_000_003 % 4093);
    }
}
