//! What to do about non-finite numbers: a decision as data, carried out by the session.

use serde::{Deserialize, Serialize};

use super::config::OnNan;

/// Most roll-backs of one run.
pub const MOST_ROLLBACKS: u32 = 3;

/// What the session has to do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// End the run with an error.
    Stop {
        /// Roll-backs that were made before, without lasting success.
        rollbacks: u32,
    },
    /// Load the last good checkpoint and go on with half the learning rates: resume is exact, so that the same rates
    /// would lead to the same non-finite step. Stop where there is no checkpoint.
    RollBack {
        /// Which roll-back of the run this is, counted from 1.
        attempt: u32,
    },
}

/// Decides at non-finite numbers.
///
/// It counts over the whole run: a roll-back must not restore the count from the checkpoint, or it
/// would never end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NanPolicy {
    on_nan: OnNan,
    rollbacks: u32,
}

impl NanPolicy {
    /// Of a run without a roll-back so far.
    pub fn new(on_nan: OnNan) -> Self {
        Self { on_nan, rollbacks: 0 }
    }

    /// Of a run that was rolled back so often before it was continued.
    pub fn after(on_nan: OnNan, rollbacks: u32) -> Self {
        Self { on_nan, rollbacks }
    }

    /// Roll-backs so far.
    pub fn rollbacks(&self) -> u32 {
        self.rollbacks
    }

    /// What to do about a non-finite number that was just seen: a roll-back halves the learning
    /// rates once more.
    pub fn on_non_finite(&mut self) -> Action {
        if self.on_nan == OnNan::Stop || self.rollbacks >= MOST_ROLLBACKS {
            return Action::Stop { rollbacks: self.rollbacks };
        }
        self.rollbacks += 1;
        Action::RollBack { attempt: self.rollbacks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stopping_is_at_once() {
        let mut policy = NanPolicy::new(OnNan::Stop);
        assert_eq!(policy.on_non_finite(), Action::Stop { rollbacks: 0 });
    }

    #[test]
    fn rolling_back_ends_after_three() {
        let mut policy = NanPolicy::new(OnNan::Rollback);
        for attempt in 1..=3 {
            assert_eq!(policy.on_non_finite(), Action::RollBack { attempt });
            let json = serde_json::to_string(&policy).expect("plain data");
            policy = serde_json::from_str(&json).expect("what was written");
        }
        assert_eq!(policy.on_non_finite(), Action::Stop { rollbacks: 3 });
        assert_eq!(policy.rollbacks(), 3);
    }
}
