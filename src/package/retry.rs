//! Trying again: what a server or a line may get right the next time is asked for a few times more, with pauses.
//!
//! Answers that mean what they say (404, 401, a wrong digest) are never asked for twice. The number of attempts and
//! the pauses are bounded, and a server that wants more time than that is told to the user, not waited for.

use crate::world::World;
use crate::world::net::{NetError, Request, Response};
use std::time::Duration;

/// How long to wait before the second, third and any further attempt.
const PAUSES: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];
/// The longest `Retry-After` that is waited for.
const LONGEST: Duration = Duration::from_mins(1);

/// How often an exchange is tried again: three times, or the number in `STACKC_RETRIES`, at most ten.
fn retries(world: &dyn World) -> u32 {
    let set = world.variable("STACKC_RETRIES").and_then(|text| text.trim().parse().ok());
    set.unwrap_or(3).min(10)
}

/// One exchange, tried again where that may help; what came of it at last, and the number of attempts.
pub(super) fn fetch(world: &dyn World, request: &Request) -> (Result<Response, NetError>, u32) {
    let retries = retries(world);
    let mut tries = 1;
    loop {
        let outcome = world.fetch(request);
        match pause(&outcome, tries).filter(|_| tries <= retries) {
            Some(pause) => world.pause(pause),
            None => return (outcome, tries),
        }
        tries += 1;
    }
}

/// How long to wait before the next attempt; `None` where another would not help, or would have to wait too long.
fn pause(outcome: &Result<Response, NetError>, tries: u32) -> Option<Duration> {
    let usual = PAUSES[(tries as usize - 1).min(PAUSES.len() - 1)];
    match outcome {
        Ok(response) if matches!(response.status, 429 | 500 | 502 | 503 | 504) => {
            let asked = response.header("retry-after").and_then(|text| text.trim().parse().ok());
            match asked.map(Duration::from_secs) {
                Some(asked) if asked > LONGEST => None,
                Some(asked) => Some(asked.max(usual)),
                None => Some(usual),
            }
        }
        Err(NetError::Lost(_)) => Some(usual),
        // It has cost the whole time for an answer once.
        Err(NetError::Late(_)) if tries == 1 => Some(usual),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, after: Option<&str>) -> Response {
        let headers = after.map(|text| ("retry-after".to_owned(), text.to_owned())).into_iter().collect();
        Response { status, headers, body: Vec::new() }
    }

    #[test]
    fn only_what_may_get_better_is_tried_again() {
        for status in [200, 301, 400, 401, 403, 404, 410, 501] {
            assert_eq!(pause(&Ok(answer(status, None)), 1), None, "{status}");
        }
        for status in [429, 500, 502, 503, 504] {
            assert_eq!(pause(&Ok(answer(status, None)), 1), Some(Duration::from_millis(500)), "{status}");
        }
        let words = || "words".to_owned();
        assert_eq!(pause(&Err(NetError::Offline), 1), None);
        assert_eq!(pause(&Err(NetError::Failed(words())), 1), None);
        assert_eq!(pause(&Err(NetError::TooLarge(1)), 1), None);
        assert_eq!(pause(&Err(NetError::Lost(words())), 2), Some(Duration::from_secs(2)));
        assert_eq!(pause(&Err(NetError::Lost(words())), 9), Some(Duration::from_secs(5)));
        assert_eq!(pause(&Err(NetError::Late(words())), 1), Some(Duration::from_millis(500)));
        assert_eq!(pause(&Err(NetError::Late(words())), 2), None, "a silent server is asked twice");
    }

    #[test]
    fn a_server_says_when_to_come_back() {
        assert_eq!(pause(&Ok(answer(429, Some("7"))), 1), Some(Duration::from_secs(7)));
        assert_eq!(pause(&Ok(answer(503, Some("0"))), 3), Some(Duration::from_secs(5)));
        assert_eq!(pause(&Ok(answer(429, Some("3600"))), 1), None, "nobody waits for an hour");
        assert_eq!(
            pause(&Ok(answer(429, Some("Fri, 31 Dec 1999 23:59:59 GMT"))), 1),
            Some(Duration::from_millis(500))
        );
    }
}
