//! The trainer on real shards of synthetic digits: exact resume, PyTorch's losses, the run folder.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::{DType, Device};
use gan_core::RunDir;
use gan_core::run::{RunInfo, Status};
use gan_core::testing::Golden;
use gan_data::{Dataset, PrepareOptions, Source, prepare};
use gan_train::config::Length;
use gan_train::log::jsonl;
use gan_train::monitor::{Ailment, Finding};
use gan_train::{
    Checkpoint, Config, Game, Observer, Outcome, Preset, Session, StepRecord, TrainError, Trainer,
    settings,
};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

const SETTINGS: &str = include_str!("../../../tests/golden/training.settings");

fn config(more: &[&str]) -> Result<Config> {
    let set: Vec<String> = SETTINGS.lines().chain(more.iter().copied()).map(Into::into).collect();
    Ok(settings::apply(&Preset::find("digits")?.config()?, &set)?)
}

/// 400 digits: 320 of them for training, so that 20 batches of 16 are an epoch.
fn digits(folder: &Path) -> Result<Arc<Dataset>> {
    let options = PrepareOptions { limit: Some(400), ..PrepareOptions::default() };
    let source = Source::detect("synthetic-digits")?;
    prepare(&source, folder, &options, &|_| ())?;
    Ok(Arc::new(Dataset::open(folder)?))
}

fn steps(trainer: &mut Trainer, n: usize) -> Result<Vec<StepRecord>> {
    Ok((0..n).map(|_| trainer.step()).collect::<std::result::Result<_, _>>()?)
}

/// Every bit of a run's state: weights, running statistics and moments by name, and as JSON streams
/// and positions.
#[derive(PartialEq)]
struct Bits {
    tensors: Vec<(String, Vec<u32>)>,
    header: String,
}

fn bits(trainer: &Trainer) -> Result<Bits> {
    let checkpoint = trainer.checkpoint()?;
    let mut tensors = Vec::new();
    for (name, tensor) in &checkpoint.tensors {
        let values = tensor.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
        tensors.push((name.clone(), values.into_iter().map(f32::to_bits).collect()));
    }
    tensors.sort();
    let header = gan_train::Header { seconds: 0.0, ..checkpoint.header };
    Ok(Bits { tensors, header: serde_json::to_string(&header)? })
}

#[test]
fn ten_and_ten_steps_are_twenty_to_the_bit() -> Result {
    let folder = tempfile::tempdir()?;
    let data = digits(&folder.path().join("data"))?;
    // Twelve steps an epoch: the second half crosses into the next.
    let config = config(&["training.batch_size=26"])?;
    let mut whole = Trainer::new(config.clone(), data.clone(), &Device::Cpu)?;
    let records = steps(&mut whole, 20)?;
    assert_eq!((records[11].epoch, records[12].epoch), (0, 1));

    let mut first = Trainer::new(config, data.clone(), &Device::Cpu)?;
    steps(&mut first, 10)?;
    let path = folder.path().join("half.safetensors");
    first.checkpoint()?.save(&path)?;
    drop(first);
    let half = Checkpoint::load(&path, &Device::Cpu)?;
    let mut second = Trainer::resume(&half, data, &Device::Cpu)?;
    let resumed = steps(&mut second, 10)?;

    assert!(bits(&whole)? == bits(&second)?, "weights, moments and positions");
    for (a, b) in records[10..].iter().zip(&resumed) {
        assert_eq!((a.step, &a.game), (b.step, &b.game));
    }
    let z = whole.grid_latents(8)?;
    let images =
        |t: &Trainer| -> Result<Vec<f32>> { Ok(t.generate(&z)?.flatten_all()?.to_vec1::<f32>()?) };
    assert!(images(&whole)? == images(&second)?, "samples");
    Ok(())
}

#[test]
fn another_seed_is_another_run() -> Result {
    let folder = tempfile::tempdir()?;
    let data = digits(folder.path())?;
    let mut a = Trainer::new(config(&[])?, data.clone(), &Device::Cpu)?;
    let mut b = Trainer::new(config(&["seed=1"])?, data, &Device::Cpu)?;
    assert_ne!(a.step()?.game, b.step()?.game);
    Ok(())
}

/// Values: tests/golden/training.py (torch 2.15, float64).
#[test]
fn losses_agree_with_pytorch() -> Result {
    let folder = tempfile::tempdir()?;
    let data = digits(folder.path())?;
    let mut trainer = Trainer::new(config(&[])?, data, &Device::Cpu)?;
    let records = steps(&mut trainer, 10)?;
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/training.safetensors");
    let golden = Golden::read(golden)?;
    for (name, value) in [("loss_d", (|g| g.loss_d) as fn(&Game) -> f64), ("loss_g", |g| g.loss_g)]
    {
        let reference = golden.get(name).to_vec1::<f64>()?;
        assert_eq!(reference.len(), records.len());
        for (record, reference) in records.iter().zip(reference) {
            let ours = value(record.game.as_ref().ok_or("a GAN")?);
            // Adam divides by the root of tiny second moments: rounding grows step by step.
            assert!((ours - reference).abs() < 1e-3, "{name} {}: {ours}, {reference}", record.step);
        }
    }
    Ok(())
}

#[test]
fn resuming_with_other_data_is_refused() -> Result {
    let folder = tempfile::tempdir()?;
    let data = digits(&folder.path().join("a"))?;
    let trainer = Trainer::new(config(&[])?, data, &Device::Cpu)?;
    let options = PrepareOptions { limit: Some(400), seed: 9, ..PrepareOptions::default() };
    let other = folder.path().join("b");
    prepare(&Source::detect("synthetic-digits")?, &other, &options, &|_| ())?;
    let other = Arc::new(Dataset::open(&other)?);
    let resumed = Trainer::resume(&trainer.checkpoint()?, other, &Device::Cpu);
    let message = resumed.err().ok_or("it was accepted")?.to_string();
    assert!(message.contains("same data"), "{message}");
    Ok(())
}

#[test]
fn phases_are_run_as_configured() -> Result {
    let folder = tempfile::tempdir()?;
    let data = digits(folder.path())?;
    let config = config(&["phases.discriminator.steps=3", "phases.generator.steps=2"])?;
    let mut trainer = Trainer::new(config, data, &Device::Cpu)?;
    steps(&mut trainer, 2)?;
    let steps = trainer.checkpoint()?.header.optimizer_steps;
    assert_eq!((steps["discriminator"], steps["generator"]), (6, 4));
    Ok(())
}

/// Sets the flag at a step.
struct StopAt<'a>(u64, &'a AtomicBool);

/// Keeps what the monitor found.
#[derive(Default)]
struct Found(Vec<Finding>);

impl Observer for Found {
    fn step(&mut self, _: &StepRecord) {}
    fn found(&mut self, finding: &Finding) {
        self.0.push(finding.clone());
    }
    fn wrote(&mut self, _: &Path) {}
}

impl Observer for StopAt<'_> {
    fn step(&mut self, record: &StepRecord) {
        if record.step == self.0 {
            self.1.store(true, Ordering::Relaxed);
        }
    }

    fn found(&mut self, _: &Finding) {}
    fn wrote(&mut self, _: &Path) {}
}

fn info() -> RunInfo {
    RunInfo {
        name: "test".into(),
        preset: "digits".into(),
        command: "test".into(),
        parent: None,
        status: Status::Running,
        reason: None,
        started: "2026-01-01T00:00:00Z".into(),
        seconds: 0.0,
        steps: 0,
        total_steps: 0,
        images_seen: 0,
        device: "cpu".into(),
        threads: 1,
        seed: 0,
        version: "0".into(),
    }
}

#[test]
fn an_interrupted_run_continues_to_a_whole_folder() -> Result {
    let folder = tempfile::tempdir()?;
    let data = digits(&folder.path().join("data"))?;
    let run = RunDir::create_at(&folder.path().join("run"))?;
    let mut config = config(&["output.grid_every=64", "output.checkpoint_every=96"])?;
    config.training.length = Length::Steps(14);
    let trainer = Trainer::new(config, data.clone(), &Device::Cpu)?;
    let stop = AtomicBool::new(false);
    let mut session = Session::new(trainer, run.clone(), info())?;
    assert_eq!(session.train(&stop, &mut StopAt(9, &stop))?, Outcome::Interrupted);
    assert_eq!(run.read_info()?.status, Status::Interrupted);

    let (path, checkpoint) = Checkpoint::latest(&run, &Device::Cpu)?;
    assert_eq!((path, checkpoint.header.step), (run.checkpoint(9 * 16), 9));
    let trainer = Trainer::resume(&checkpoint, data, &Device::Cpu)?;
    let mut session = Session::new(trainer, run.clone(), run.read_info()?)?;
    let stop = AtomicBool::new(false);
    assert_eq!(session.train(&stop, &mut StopAt(0, &stop))?, Outcome::Finished);

    let info = run.read_info()?;
    assert_eq!((info.status, info.steps, info.images_seen), (Status::Finished, 14, 224));
    let metrics = jsonl::read(&run.metrics())?;
    assert!(metrics.iter().map(|r| r.step).eq(1..=14));
    let grids: Vec<u64> = run.samples()?.into_iter().map(|(n, _)| n).collect();
    assert_eq!(grids, [0, 64, 128, 192, 224]);
    let checkpoints: Vec<u64> = run.checkpoints()?.into_iter().map(|(n, _)| n).collect();
    assert_eq!(checkpoints, [192, 224], "the two newest");
    for file in [run.real(), run.progression(), run.plot("losses.png"), run.models(), run.data()] {
        assert!(file.is_file(), "{}", file.display());
    }
    Ok(())
}

#[test]
fn numbers_that_run_away_stop_the_run_with_a_clear_word() -> Result {
    let folder = tempfile::tempdir()?;
    let data = digits(&folder.path().join("data"))?;
    let run = RunDir::create_at(&folder.path().join("run"))?;
    let mut config = config(&[
        "optimizer.generator.lr=1e38",
        "optimizer.discriminator.lr=1e38",
        "output.checkpoint_every=16",
    ])?;
    config.training.length = Length::Steps(50);
    let trainer = Trainer::new(config, data, &Device::Cpu)?;
    let mut session = Session::new(trainer, run.clone(), info())?;
    let stop = AtomicBool::new(false);
    let error = session.train(&stop, &mut StopAt(0, &stop)).err().ok_or("it went on")?;
    assert!(matches!(error, TrainError::NonFinite { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("lr") && message.contains("checkpoint"), "{message}");
    let info = run.read_info()?;
    assert_eq!(info.status, Status::Failed);
    assert!(info.reason.is_some_and(|reason| reason.contains("step")));
    // The last line says where and what.
    let text = fs_err::read_to_string(run.metrics())?;
    assert!(text.lines().last().is_some_and(|line| line.contains("\"non_finite\":{")), "{text}");
    let records = jsonl::read(&run.metrics())?;
    let (last, before) = records.split_last().ok_or("no records")?;
    assert!(last.non_finite().is_some() && message.contains(&format!("step {}", last.step)));
    assert!(before.iter().all(|record| record.non_finite().is_none()));
    Ok(())
}

#[test]
fn a_damaged_checkpoint_is_named() -> Result {
    let folder = tempfile::tempdir()?;
    let data = digits(&folder.path().join("data"))?;
    let path = folder.path().join("c.safetensors");
    let checkpoint = Trainer::new(config(&[])?, data, &Device::Cpu)?.checkpoint()?;
    checkpoint.save(&path)?;
    let whole = std::fs::read(&path)?;
    for bytes in [&whole[..whole.len() - 5], &whole[..20], b"".as_slice()] {
        std::fs::write(&path, bytes)?;
        let error = Checkpoint::load(&path, &Device::Cpu).err().ok_or("it was accepted")?;
        assert!(error.to_string().contains("c.safetensors"), "{error}");
    }
    Ok(())
}

#[test]
fn a_run_is_rolled_back_three_times_and_then_stops() -> Result {
    let folder = tempfile::tempdir()?;
    let data = digits(&folder.path().join("data"))?;
    let run = RunDir::create_at(&folder.path().join("run"))?;
    let mut config = config(&[
        "optimizer.generator.lr=1e38",
        "output.checkpoint_every=16",
        "monitor.on_nan=rollback",
    ])?;
    config.training.length = Length::Steps(50);
    let trainer = Trainer::new(config, data, &Device::Cpu)?;
    let mut session = Session::new(trainer, run, info())?;
    let mut found = Found::default();
    let error = session.train(&AtomicBool::new(false), &mut found).err().ok_or("it went on")?;
    assert!(matches!(error, TrainError::NonFinite { .. }), "{error}");
    // Once before each of the three, and once more.
    let times = found.0.iter().filter(|f| f.ailment == Ailment::NonFinite).count();
    assert_eq!(times, 4, "{error}");
    // Halved three times.
    assert_eq!(session.trainer().checkpoint()?.header.lr_factor, 0.125);
    Ok(())
}

#[test]
fn a_run_ends_early_when_asked_to_and_leaves_a_checkpoint() -> Result {
    let folder = tempfile::tempdir()?;
    let data = digits(&folder.path().join("data"))?;
    let run = RunDir::create_at(&folder.path().join("run"))?;
    let mut config = config(&[
        "optimizer.generator.lr=1e-9",
        "optimizer.discriminator.lr=1e-2",
        "monitor.window=32",
        "monitor.stop_on=[\"saturated-discriminator\"]",
        "output.checkpoint_every=1000000",
    ])?;
    config.training.length = Length::Steps(300);
    let trainer = Trainer::new(config, data, &Device::Cpu)?;
    let mut session = Session::new(trainer, run.clone(), info())?;
    let outcome = session.train(&AtomicBool::new(false), &mut Found::default())?;
    assert_eq!(outcome, Outcome::StoppedEarly);
    let info = run.read_info()?;
    assert!(info.steps < 300 && info.reason.is_some_and(|r| r.contains("saturated")));
    assert_eq!(run.checkpoints()?.len(), 1);
    Ok(())
}
