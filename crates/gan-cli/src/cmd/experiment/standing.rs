//! How a training of an experiment stands, and how it goes on.

use std::path::Path;

use gan_core::RunDir;
use gan_core::run::{RunInfo, Status};

use crate::args::UsageError;

/// How far a training came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Standing {
    /// There is nothing of it that could be continued.
    New,
    /// A checkpoint is there, and this share of its steps ahead; none where the program ended while it drew its last figures.
    Begun(f64),
    /// All is there.
    Finished,
}

impl Standing {
    /// Of the run in `root`, which is to have so many steps.
    ///
    /// # Errors
    /// If it is another training than the one that is wanted.
    pub(super) fn of(root: &Path, steps: u64) -> anyhow::Result<Self> {
        let Ok(run) = RunDir::open(root) else { return Ok(Self::New) };
        let checkpoints = run.checkpoints()?;
        let Ok(info) = run.read_info() else {
            // What its checkpoints say counts, wherever they stand.
            return Ok(if checkpoints.is_empty() { Self::New } else { Self::Begun(1.0) });
        };
        if info.total_steps != steps {
            let total = info.total_steps;
            let reason = format!(
                "{} has {total} steps, the experiment's would have {steps}: somebody trained it on, or another version of the \
                 program began it; name another folder by --out, or remove this run",
                root.display()
            );
            return Err(UsageError(reason).into());
        }
        Ok(match info {
            RunInfo { status: Status::Finished, .. } => Self::Finished,
            _ if checkpoints.is_empty() => Self::New,
            RunInfo { steps: done, .. } => {
                Self::Begun(1.0 - done.min(steps) as f64 / steps.max(1) as f64)
            }
        })
    }

    /// The share of its time that is ahead.
    pub(super) fn left(self) -> f64 {
        match self {
            Self::New => 1.0,
            Self::Begun(left) => left,
            Self::Finished => 0.0,
        }
    }
}

/// Makes room for a training that has to begin anew. Only what has no checkpoint is removed.
pub(super) fn clear(root: &Path) -> anyhow::Result<()> {
    let checkpoints = root.join("checkpoints");
    let has_some = checkpoints.is_dir() && fs_err::read_dir(&checkpoints)?.next().is_some();
    if root.is_dir() && !has_some {
        fs_err::remove_dir_all(root)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gan_core::file;

    fn info(status: Status, steps: u64) -> RunInfo {
        RunInfo {
            name: "dcgan".into(),
            preset: "dcgan".into(),
            command: String::new(),
            parent: None,
            status,
            reason: None,
            started: String::new(),
            seconds: 1.0,
            steps,
            total_steps: 100,
            images_seen: 0,
            device: "cpu".into(),
            threads: 1,
            seed: 0,
            version: String::new(),
        }
    }

    #[test]
    fn a_training_stands_where_its_checkpoints_do() -> anyhow::Result<()> {
        let parent = tempfile::tempdir()?;
        let root = parent.path().join("dcgan");
        assert_eq!(Standing::of(&root, 100)?, Standing::New, "there is no such folder");
        let run = RunDir::create_at(&root)?;
        fs_err::write(run.log(), "begun")?;
        assert_eq!(Standing::of(&root, 100)?, Standing::New, "it was killed before its first step");
        fs_err::write(run.config(), "")?;
        run.write_json(&run.info(), &info(Status::Running, 0))?;
        assert_eq!(Standing::of(&root, 100)?, Standing::New, "there is nothing to continue from");
        file::write_bytes(&run.checkpoint(640), b"weights")?;
        for (status, steps, standing) in [
            (Status::Running, 25, Standing::Begun(0.75)),
            (Status::Interrupted, 40, Standing::Begun(0.6)),
            (Status::Failed, 100, Standing::Begun(0.0)),
            (Status::Finished, 100, Standing::Finished),
            // The monitor ended it.
            (Status::Finished, 30, Standing::Finished),
        ] {
            run.write_json(&run.info(), &info(status, steps))?;
            assert_eq!(Standing::of(&root, 100)?, standing, "{status} {steps}");
        }
        let other = Standing::of(&root, 200).expect_err("another training").to_string();
        assert!(other.contains("has 100 steps, the experiment's would have 200"), "{other}");
        fs_err::write(run.info(), "torn")?;
        assert_eq!(Standing::of(&root, 100)?, Standing::Begun(1.0), "its checkpoint counts");
        Ok(())
    }

    #[test]
    fn only_what_has_no_checkpoint_is_removed() -> anyhow::Result<()> {
        let parent = tempfile::tempdir()?;
        let root = parent.path().join("dcgan");
        clear(&root)?;
        let run = RunDir::create_at(&root)?;
        file::write_bytes(&run.checkpoint(640), b"weights")?;
        clear(&root)?;
        assert!(run.checkpoint(640).is_file());
        fs_err::remove_file(run.checkpoint(640))?;
        clear(&root)?;
        assert!(!root.exists());
        Ok(())
    }
}
