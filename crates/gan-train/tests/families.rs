//! Every family of GANs on real shards of synthetic pictures: exact resume, what is recorded, what is refused.

use std::path::Path;
use std::sync::Arc;

use candle_core::{DType, Device};
use gan_data::{Dataset, PrepareOptions, Source, prepare};
use gan_train::{Checkpoint, Config, Game, Preset, StepRecord, Trainer, Weights, settings};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A preset, the data that it is tried on, and what makes it small.
struct Family {
    preset: &'static str,
    data: &'static str,
    settings: &'static [&'static str],
    /// What its records have beside the losses of every GAN.
    records: &'static [&'static str],
}

const SMALL: &[&str] = &["training.batch_size=8"];
const SMALL_GAN: &[&str] = &["model.generator_width=4", "model.discriminator_width=4"];

const FAMILIES: &[Family] = &[
    Family {
        preset: "dcgan-binary",
        data: "synthetic-digits",
        settings: &["ema.decay=0.9", "optimizer.generator.schedule={ cosine = 0.1 }"],
        records: &[],
    },
    Family {
        preset: "dcgan-levels",
        data: "synthetic-digits",
        settings: &["loss.penalty={ r1 = { gamma = 10 } }", "loss.adversarial=hinge"],
        records: &["penalty"],
    },
    Family {
        preset: "acgan",
        data: "synthetic-faces",
        settings: &[],
        records: &["loss_auxiliary_real", "accuracy_auxiliary_real", "accuracy_auxiliary_fake"],
    },
    Family {
        preset: "acgan",
        data: "synthetic-digits",
        settings: &[
            "latent.Smiling.name=class",
            "latent.class.classes=10",
            "model.auxiliary=class",
            "phases.discriminator.every=2",
        ],
        records: &[],
    },
    Family {
        preset: "infogan-2x10",
        data: "synthetic-digits",
        settings: &[],
        records: &["loss_code_code", "accuracy_code_code"],
    },
    Family {
        preset: "infogan-mnist",
        data: "synthetic-digits",
        settings: &["unrolling.steps=2"],
        records: &["loss_code_digit", "loss_code_style"],
    },
    Family { preset: "mnist-fc", data: "synthetic-digits", settings: &[], records: &[] },
    Family {
        preset: "mnist-conv",
        data: "synthetic-digits",
        settings: &[
            "loss.adversarial=wasserstein",
            "loss.penalty={ wgan-gp = { lambda = 10 } }",
            "unrolling.steps=0",
        ],
        records: &["penalty"],
    },
    Family {
        preset: "ring",
        data: "gaussians-ring",
        settings: &["training.batch_size=32", "unrolling.steps=3"],
        records: &[],
    },
    Family { preset: "celeba-unrolled", data: "synthetic-digits", settings: &[], records: &[] },
    Family { preset: "celeba-stabilized", data: "synthetic-digits", settings: &[], records: &[] },
    Family {
        preset: "digit-classifier",
        data: "synthetic-digits",
        settings: &["classifier.width=2"],
        records: &["loss", "accuracy", "grad_norm", "lr"],
    },
    Family {
        preset: "face-classifier",
        data: "synthetic-faces",
        settings: &["classifier.width=2", "classifier.target.attributes=[\"Smiling\"]"],
        records: &["loss", "accuracy"],
    },
    Family {
        preset: "cgan",
        data: "synthetic-faces",
        settings: &["latent.attributes.names=[\"Smiling\", \"Eyeglasses\"]"],
        records: &[],
    },
    Family {
        preset: "mnist-vae",
        data: "synthetic-digits",
        settings: &["autoencoder.width=2", "latent.z.size=3"],
        records: &["loss", "loss_reconstruction", "loss_kl", "prior_weight", "mse"],
    },
    Family {
        preset: "mnist-autoencoder-gaussian",
        data: "synthetic-digits",
        settings: &["autoencoder.width=2", "optimizer.encoder.schedule={ linear = 0.0 }"],
        records: &["loss_z", "loss_weighted_z", "z_mean", "z_variance", "z_kurtosis"],
    },
    Family {
        preset: "vae",
        data: "synthetic-faces",
        settings: &[
            "autoencoder.width=2",
            "autoencoder.reconstruction=l1",
            "autoencoder.reduction=mean",
            "autoencoder.prior={ kl = { weight = 0.5, warm_up = 2 } }",
        ],
        records: &["loss_kl"],
    },
    Family {
        preset: "dcgan",
        data: "synthetic-digits",
        settings: &["model.skip_z=true"],
        records: &[],
    },
];

fn config(family: &Family, more: &[&str]) -> Result<Config> {
    let preset = Preset::find(family.preset)?.config()?;
    let small = if preset.model.is_some() { SMALL_GAN } else { &[] };
    let set = SMALL.iter().chain(small).chain(family.settings).chain(more);
    Ok(settings::apply(&preset, &set.map(ToString::to_string).collect::<Vec<_>>())?)
}

/// 60 pictures, 48 of them for training, or 240 points.
fn data(source: &str, folder: &Path) -> Result<Arc<Dataset>> {
    let mut options = PrepareOptions {
        limit: Some(if source.starts_with("synthetic") { 60 } else { 240 }),
        ..PrepareOptions::default()
    };
    if source.starts_with("synthetic") {
        options.transform.size = Some((28, 28));
    }
    prepare(&Source::detect(source)?, folder, &options, &|_| ())?;
    Ok(Arc::new(Dataset::open(folder)?))
}

fn game(record: &StepRecord) -> &Game {
    record.game.as_ref().expect("a GAN")
}

fn steps(trainer: &mut Trainer, n: usize) -> Result<Vec<StepRecord>> {
    Ok((0..n).map(|_| trainer.step()).collect::<std::result::Result<_, _>>()?)
}

/// Tensors by name, to the bit.
type Bits = Vec<(String, Vec<u32>)>;

/// All tensors of a run.
fn bits(trainer: &Trainer) -> Result<Bits> {
    let mut tensors = Vec::new();
    for (name, tensor) in trainer.checkpoint()?.tensors {
        let values = tensor.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
        tensors.push((name, values.into_iter().map(f32::to_bits).collect()));
    }
    tensors.sort();
    Ok(tensors)
}

#[test]
fn every_family_resumes_to_the_bit_and_records_what_it_measures() -> Result {
    let folder = tempfile::tempdir()?;
    let (digits, faces) = (folder.path().join("digits"), folder.path().join("faces"));
    let (digits, faces) = (data("synthetic-digits", &digits)?, data("synthetic-faces", &faces)?);
    let ring = data("gaussians-ring", &folder.path().join("ring"))?;
    for family in FAMILIES {
        let data = match family.data {
            "synthetic-faces" => &faces,
            "gaussians-ring" => &ring,
            _ => &digits,
        };
        // Seven steps cross an epoch of six batches.
        let mut whole = Trainer::new(config(family, &[])?, data.clone(), &Device::Cpu)?;
        let records = steps(&mut whole, 7)?;
        let mut first = Trainer::new(config(family, &[])?, data.clone(), &Device::Cpu)?;
        steps(&mut first, 3)?;
        let path = folder.path().join("c.safetensors");
        first.checkpoint()?.save(&path)?;
        let checkpoint = Checkpoint::load(&path, &Device::Cpu)?;
        let mut second = Trainer::resume(&checkpoint, data.clone(), &Device::Cpu)?;
        steps(&mut second, 4)?;
        let what = format!("{} {:?}", family.preset, family.settings);
        assert!(bits(&whole)? == bits(&second)?, "{what}");
        let header = |trainer: &Trainer| -> Result<String> {
            let mut header = trainer.checkpoint()?.header;
            header.seconds = 0.0;
            header.last =
                header.last.map(|last| StepRecord { seconds: 0.0, images_per_second: 0.0, ..last });
            Ok(serde_json::to_string(&header)?)
        };
        assert_eq!(header(&whole)?, header(&second)?, "{what}");
        let last = &records[6];
        assert!(last.non_finite().is_none(), "{what}: {last:?}");
        for name in family.records {
            assert!(last.more.contains_key(*name), "{what}: no {name} in {last:?}");
        }
    }
    Ok(())
}

#[test]
fn samples_are_of_the_average_and_the_trained_weights_are_there_too() -> Result {
    let folder = tempfile::tempdir()?;
    let data = data("synthetic-digits", folder.path())?;
    let mut trainer = Trainer::new(config(&FAMILIES[0], &[])?, data, &Device::Cpu)?;
    steps(&mut trainer, 3)?;
    let z = trainer.grid_latents(4)?;
    let shown = trainer.generate(&z)?.flatten_all()?.to_vec1::<f32>()?;
    let checkpoint = trainer.checkpoint()?;
    let images = |weights| -> Result<Vec<f32>> {
        use candle_nn::ModuleT;
        let generator = checkpoint.generator_of(weights, &Device::Cpu)?;
        Ok(generator.forward_t(&z.encode()?, false)?.flatten_all()?.to_vec1()?)
    };
    assert_eq!(images(Weights::Average)?, shown);
    assert_ne!(images(Weights::Trained)?, shown);
    Ok(())
}

#[test]
fn phases_and_their_intervals_are_counted() -> Result {
    let folder = tempfile::tempdir()?;
    let data = data("synthetic-digits", folder.path())?;
    let settings = [
        "phases.discriminator.steps=3",
        "phases.discriminator.every=2",
        "phases.generator.steps=2",
        "unrolling.steps=4",
    ];
    let mut trainer = Trainer::new(config(&FAMILIES[5], &settings)?, data, &Device::Cpu)?;
    steps(&mut trainer, 5)?;
    let steps = trainer.checkpoint()?.header.optimizer_steps;
    // Three discriminator steps in the first, third and fifth step; what is unrolled is put back.
    assert_eq!((steps["discriminator"], steps["recognizer"], steps["generator"]), (9, 9, 10));
    Ok(())
}

#[test]
fn learning_rates_follow_their_schedules() -> Result {
    let folder = tempfile::tempdir()?;
    let data = data("synthetic-digits", folder.path())?;
    let more = ["training.length={ steps = 5 }", "optimizer.generator.schedule={ linear = 0.0 }"];
    let mut trainer = Trainer::new(config(&FAMILIES[0], &more)?, data, &Device::Cpu)?;
    let rates: Vec<f64> = steps(&mut trainer, 5)?.iter().map(|r| game(r).lr_g / 2e-4).collect();
    for (rate, expected) in rates.iter().zip([1.0, 0.75, 0.5, 0.25, 0.0]) {
        assert!((rate - expected).abs() < 1e-12, "{rates:?}");
    }
    Ok(())
}

#[test]
fn what_data_and_model_cannot_tell_is_refused_with_a_reason() -> Result {
    let folder = tempfile::tempdir()?;
    let (digits, faces) = (folder.path().join("digits"), folder.path().join("faces"));
    let (digits, faces) = (data("synthetic-digits", &digits)?, data("synthetic-faces", &faces)?);
    let refusal = |family: usize, data: &Arc<Dataset>, more: &[&str]| -> Result<String> {
        let refused = config(&FAMILIES[family], more)
            .and_then(|config| Ok(Trainer::new(config, data.clone(), &Device::Cpu)?));
        Ok(refused.err().ok_or(format!("accepted: {more:?}"))?.to_string())
    };
    for (family, data, more, reason) in [
        (2, &faces, &["latent.Smiling.name=smiling", "model.auxiliary=smiling"][..], "\"Smiling\""),
        (2, &digits, &[], "no attributes, but 10 classes"),
        (2, &faces, &["latent.Smiling.name=Smilin", "model.auxiliary=Smilin"], "\"Smiling\""),
        (3, &digits, &["latent.class.classes=7"], "has 7 classes, the data has 10"),
        (13, &faces, &["latent.attributes.names=[\"Eyeglases\"]"], "\"Eyeglasses\""),
        (13, &digits, &[], "no attributes, but 10 classes"),
        (4, &digits, &["model.codes=[\"cod\"]"], "the latent has z, code"),
        (4, &digits, &["model.codes=[\"code\", \"code\"]"], "twice"),
        (2, &faces, &["model.condition=Smiling"], "nothing to recognize"),
        (2, &faces, &["latent.Smiling.classes=3"], "an attribute has 2"),
        (13, &faces, &["model.codes=[\"attributes\"]"], "nothing to recover"),
        (0, &digits, &["loss.adversarial=wasserstein"], "loss.clip"),
        (0, &digits, &["latent.z.size=1000000000000"], "more than 65536"),
        (0, &digits, &["model.auxiliary=bits"], "cannot tell"),
        (0, &digits, &["loss.adversarial=hinge", "loss.real_target=0.9"], "no target"),
        (0, &digits, &["phases.generator.every=0"], "every"),
        (0, &digits, &["optimizer.generator.schedule={ linear = -1.0 }"], "schedule"),
        (0, &digits, &["ema.decay=1.0"], "ema.decay"),
        (0, &digits, &["model.generator=mlp"], "mlp"),
        (6, &digits, &["model.skip_z=true"], "model.skip_z"),
        (11, &digits, &["classifier.target.classes=[\"a\", \"b\"]"], "leave them empty"),
        (12, &digits, &["classifier.target.attributes=[]"], "no attributes to learn"),
        (
            12,
            &faces,
            &["classifier.target.attributes=[\"Eyeglases\"]"],
            "did you mean \"Eyeglasses\"?",
        ),
        (12, &faces, &["classifier.width=0"], "classifier.width"),
    ] {
        let message = refusal(family, data, more)?;
        assert!(message.contains(reason), "{more:?}: {message}");
    }
    Ok(())
}

/// The advice for data without attributes is settings that can be pasted.
#[test]
fn on_digits_conditional_models_are_told_how_to_learn_the_classes() -> Result {
    let folder = tempfile::tempdir()?;
    let data = data("synthetic-digits", folder.path())?;
    for preset in ["acgan", "cgan"] {
        let family = FAMILIES.iter().find(|family| family.preset == preset).ok_or(preset)?;
        let refused = Trainer::new(config(family, &[])?, data.clone(), &Device::Cpu);
        let message = refused.err().ok_or("accepted")?.to_string();
        let advice =
            message.split("--set ").skip(1).map(|setting| setting.trim().trim_matches('\''));
        let advice: Vec<&str> = advice.collect();
        assert_eq!(advice.len(), 2, "{message}");
        let mut trainer = Trainer::new(config(family, &advice)?, data.clone(), &Device::Cpu)?;
        assert!(trainer.step()?.non_finite().is_none());
        assert_eq!(
            trainer.config().latent.part("class").map(|p| p.distribution.encoded_size()),
            Some(10)
        );
    }
    Ok(())
}

/// Without unrolling the discriminator ends a step where unrolling puts it back to.
#[test]
fn unrolling_puts_the_discriminator_back_to_the_bit() -> Result {
    let folder = tempfile::tempdir()?;
    let data = data("synthetic-digits", folder.path())?;
    let after_a_step = |more: &str| -> Result<(Bits, StepRecord)> {
        let family = FAMILIES.iter().find(|f| f.preset == "mnist-fc").ok_or("no mnist-fc")?;
        let mut trainer = Trainer::new(config(family, &[more])?, data.clone(), &Device::Cpu)?;
        let record = trainer.step()?;
        let mut tensors = bits(&trainer)?;
        // The mask of a dropout is drawn once more by the generator's pass, which unrolling takes back as well.
        tensors.retain(|(name, _)| name.contains("discriminator") && !name.ends_with("mask_calls"));
        Ok((tensors, record))
    };
    let (plain, without) = after_a_step("unrolling.steps=0")?;
    let (unrolled, with) = after_a_step("unrolling.steps=3")?;
    assert_eq!(plain.len(), 8 * 3 + 3, "weights, moments, keys of masks");
    assert!(plain == unrolled);
    assert!(game(&with).loss_g > game(&without).loss_g, "the generator met a better discriminator");
    Ok(())
}
