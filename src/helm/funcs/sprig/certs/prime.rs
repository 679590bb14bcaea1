//! Large primes for RSA keys.
//!
//! From a random odd number on, what a small prime divides is sieved out; of what is left about every thirtieth number
//! of 1024 bits is prime. A composite fails the first of the Miller-Rabin rounds, which are what costs; five rounds and
//! a Lucas test for what passes are more than FIPS 186-5 (table B.1) asks for numbers of these sizes.

use num_bigint_dig::prime::probably_prime;
use rsa::BigUint;
use rsa::rand_core::RngCore;

/// Every number that is divisible by a prime below this is sieved out.
const SIEVED: u32 = 4096;
/// Odd numbers looked at before a new start is drawn.
const WINDOW: usize = 2048;
const ROUNDS: usize = 5;

/// Two random primes, each of exactly so many bits, the two highest of which are set, and of which one less is not
/// divisible by `exponent`, a prime below 2^32. They are looked for on two cores; which they are, the random numbers
/// alone decide.
pub(super) fn pair(random: &mut impl RngCore, bits: [usize; 2], exponent: u32) -> (BigUint, BigUint) {
    let small = small_primes();
    let mut found = (None, None);
    loop {
        found = match found {
            (Some(first), Some(second)) => return (first, second),
            (None, None) => {
                let starts = [start(random, bits[0]), start(random, bits[1])];
                let [here, beside] = [&starts[0], &starts[1]].map(|start| || search(start, &small, exponent));
                std::thread::scope(|scope| {
                    let thread = std::thread::Builder::new().spawn_scoped(scope, beside);
                    let first = here();
                    let second = thread.ok().and_then(|thread| thread.join().ok());
                    // Where there was no thread to be had, this one looks for both.
                    (first, second.unwrap_or_else(beside))
                })
            }
            (first, None) => (first, search(&start(random, bits[1]), &small, exponent)),
            (None, second) => (search(&start(random, bits[0]), &small, exponent), second),
        };
    }
}

/// The first prime of a window of odd numbers, which one in three hundred windows does not have.
fn search(start: &BigUint, small: &[u32], exponent: u32) -> Option<BigUint> {
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
    (0..WINDOW)
        .filter(|at| !is_composite[*at])
        .map(|at| start + BigUint::from(2 * at as u64))
        .filter(|candidate| candidate.bits() == bits && remainder(candidate, exponent) != 1)
        .find(|candidate| probably_prime(candidate, ROUNDS))
}

/// A random odd number with its two highest bits set.
fn start(random: &mut impl RngCore, bits: usize) -> BigUint {
    let mut bytes = vec![0; bits.div_ceil(8)];
    random.fill_bytes(&mut bytes);
    if let Some(last) = bytes.last_mut() {
        *last |= 1;
    }
    let top = BigUint::from(3_u8) << (bits - 2);
    let below = BigUint::from_bytes_be(&bytes) % (BigUint::from(1_u8) << (bits - 2));
    top + below
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
        let primes = || pair(&mut Numbers(0x9e37_79b9_7f4a_7c15), [256, 256], 65_537);
        assert_eq!(primes(), primes());
    }

    #[test]
    fn primes_have_their_size_and_are_prime() {
        let mut numbers = Numbers(0x1234_5678_9abc_def1);
        for bits in [64, 65, 128, 256] {
            let (first, second) = pair(&mut numbers, [bits, bits + 3], 65_537);
            for (prime, bits) in [(first, bits), (second, bits + 3)] {
                assert_eq!(prime.bits(), bits);
                assert_eq!(&prime >> (bits - 2), BigUint::from(3_u8));
                assert!(probably_prime(&prime, 40), "{prime}");
            }
        }
        // The sieve takes away nothing that is prime.
        let small = small_primes();
        assert_eq!((small.len(), small[0], small[563 - 1]), (563, 3, 4093));
        assert_eq!(remainder(&BigUint::from(1_000_003_u32), 4093), 1_000_003 % 4093);
    }
}
