//! The page of a run folder made here: what stands in it, and what happens where files are missing.

use std::path::Path;

use gan_core::gif::{Delay, write_gif};
use gan_core::grid::Grid;
use gan_core::run::{RunInfo, Status};
use gan_core::{Image, RunDir, Stream};
use gan_report::{ReportError, render, write_report};

/// A run of DCGAN in a temporary folder, with every file that a report reads.
fn synthetic_run(parent: &Path) -> Result<RunDir, Box<dyn std::error::Error>> {
    let run = RunDir::create_next(parent, "dcgan")?;
    let hostile = "title = \"<script>alert('config')</script> & more\"\n[train]\nbatch_size = 64\n";
    fs_err::write(run.config(), hostile)?;
    run.write_info(&RunInfo {
        name: run.name(),
        preset: "dcgan".into(),
        command: "gan-cli train dcgan --data 'celeba' --epochs 15 --seed 7".into(),
        parent: None,
        status: Status::Interrupted,
        reason: Some("Ctrl-C at <b>step</b> 2000".into()),
        started: "2026-11-21T23:52:27Z".into(),
        seconds: 1234.5,
        steps: 2000,
        total_steps: 4000,
        images_seen: 128_000,
        device: "cpu".into(),
        threads: 2,
        seed: 7,
        version: "0.1.0".into(),
    })?;
    fs_err::write(run.metrics(), metrics(2000))?;
    fs_err::write(run.models(), MODELS)?;
    fs_err::write(run.data(), DATA)?;
    fs_err::write(run.log(), "epoch 1 of 15\nD(x) 0.61, D(G(z)) 0.38\n")?;
    grid("real", 0.0)?.write_png(&run.real())?;
    let mut frames = Vec::new();
    for stage in 0..9u64 {
        let samples = grid("samples", 1.0 - stage as f32 / 8.0)?;
        samples.write_png(&run.sample(stage * 16_000))?;
        frames.push(samples);
    }
    write_gif(&run.progression(), &frames, Delay(40))?;
    grid("figure", 0.5)?.write_png(&run.plot("attribute-leak.png"))?;
    Ok(run)
}

const MODELS: &str = r#"[{"name":"generator","parameters":3576704,"layers":[
    {"name":"blocks.0","kind":"ConvTranspose2d 4×4, batch norm, ReLU","output":[512,4,4],"parameters":820224},
    {"name":"to_image","kind":"ConvTranspose2d 4×4, tanh","output":[3,64,64],"parameters":3072}]},
    {"name":"discriminator","parameters":2765568,"layers":[
    {"name":"blocks.0","kind":"Conv2d 4×4, LeakyReLU","output":[64,32,32],"parameters":3072}]}]"#;
const DATA: &str = r#"{"image":{"channels":3,"height":64,"width":64},
    "counts":{"train":162770,"valid":19867,"test":19962},
    "source":{"kind":"celeba","name":"img_align_celeba.zip","digest":"a1b2c3"},
    "transform":"resize to 64×64, bilinear"}"#;

/// Noisy curves of a training that goes well, the last line torn.
fn metrics(steps: u64) -> String {
    let mut noise = Stream::named("metrics", 0);
    let mut text = String::new();
    for step in 1..=steps {
        let t = (step as f64 / steps as f64).sqrt();
        let mut around = |value: f64, by: f64| value + by * f64::from(noise.normal());
        let line = serde_json::json!({
            "step": step, "images_seen": step * 64, "epoch": step as f64 * 64.0 / 162_770.0,
            "seconds": step as f64 * 0.617,
            "loss_d": around(1.38 - 0.3 * t, 0.08), "loss_g": around(0.7 + 0.6 * t, 0.12),
            "d_real": around(0.5 + 0.12 * t, 0.03), "d_fake_before": around(0.5 - 0.1 * t, 0.03),
            "d_fake_after": around(0.5 - 0.2 * t, 0.03),
            "accuracy_real": around(0.5 + 0.25 * t, 0.04).min(1.0),
            "accuracy_fake": around(0.5 + 0.3 * t, 0.04).min(1.0),
            "grad_norm_d": around(1.0, 0.1).exp(), "grad_norm_g": around(0.3, 0.2).exp(),
            "lr_d": 2e-4, "lr_g": 2e-4,
            "images_per_second": if step < 10 { None } else { Some(around(104.0, 3.0)) },
            "unknown_key": [1, 2],
        });
        text.push_str(&format!("{line}\n"));
    }
    text.push_str("{\"step\":2001,\"ima");
    text
}

/// A grid of 64 round faces under noise.
fn grid(name: &str, noise: f32) -> Result<Image, gan_core::Error> {
    let mut stream = Stream::named(name, 1);
    let mut images = Vec::new();
    for _ in 0..64 {
        let skin = [
            stream.uniform(120.0, 250.0),
            stream.uniform(90.0, 190.0),
            stream.uniform(60.0, 160.0),
        ];
        let wall =
            [stream.uniform(0.0, 255.0), stream.uniform(0.0, 255.0), stream.uniform(0.0, 255.0)];
        let mut pixels = Vec::new();
        for i in 0..32 * 32 {
            let (x, y) = ((i % 32) as f32 - 15.5, (i / 32) as f32 - 15.5);
            let color = if x * x + y * y * 0.7 < 120.0 { skin } else { wall };
            pixels.extend(
                color.map(|c| (c + noise * 90.0 * stream.normal()).clamp(0.0, 255.0) as u8),
            );
        }
        images.push(Image::new(32, 32, 3, pixels)?);
    }
    Grid::for_images(64, 32).render(&images)
}

type Tested = Result<(), Box<dyn std::error::Error>>;

#[test]
fn page_holds_everything_and_fetches_nothing() -> Tested {
    let parent = tempfile::tempdir()?;
    let run = synthetic_run(parent.path())?;
    let out = parent.path().join("pages/report.html");
    write_report(run.root(), &[], &out)?;
    let page = fs_err::read_to_string(&out)?;
    for words in [
        "00001-dcgan",
        "128,000",
        "2,000 of 4,000",
        "20 min 35 s",
        "2026-11-21 23:52 UTC",
        "means over the last 100 of 2000 lines",
        "3,576,704",
        "512 × 4 × 4",
        "img_align_celeba.zip",
        "162,770",
        "D(G(z)) after",
        "Accuracy of the discriminator",
        "before training",
        "generated images, after 128,000 images",
        "attribute leak",
        "data:image/gif;base64,R0lGOD",
    ] {
        assert!(page.contains(words), "{words:?} is missing");
    }
    assert!(!page.contains("What is missing"));
    assert!(!page.contains("Learning rates"), "constant ones are not drawn");
    assert_eq!(page.matches("<svg ").count(), 5);
    assert_eq!(page.matches("<figure><img").count(), 2 + 6 + 1 + 1);
    for outside in ["src=\"http", "href=", "@import", "url(", "<script", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
    // To look at it: GAN_REPORT_KEEP=/tmp/report.html cargo test -p gan-report
    if let Some(keep) = std::env::var_os("GAN_REPORT_KEEP") {
        fs_err::copy(&out, Path::new(&keep))?;
    }
    Ok(())
}

#[test]
fn hostile_text_is_escaped() -> Tested {
    let parent = tempfile::tempdir()?;
    let page = render(synthetic_run(parent.path())?.root(), &[])?;
    assert!(page.contains("&lt;script&gt;alert("));
    assert!(page.contains("Ctrl-C at &lt;b&gt;step&lt;"));
    Ok(())
}

#[test]
fn what_is_missing_is_said() -> Tested {
    let parent = tempfile::tempdir()?;
    let run = RunDir::create_next(parent.path(), "digits")?;
    fs_err::write(run.config(), "seed = 1\n")?;
    fs_err::write(run.metrics(), "{\"step\":1,\"loss_d\":1.4}\n")?;
    fs_err::write(run.models(), "not JSON")?;
    let page = render(run.root(), &[])?;
    for words in [
        "state unknown",
        "run.json",
        "models.json could not be read",
        "data.json",
        "real.png",
        "no generated images yet",
    ] {
        assert!(page.contains(words), "{words:?} is missing");
    }
    Ok(())
}

#[test]
fn without_metrics_there_is_no_page() -> Tested {
    let parent = tempfile::tempdir()?;
    let run = RunDir::create_next(parent.path(), "digits")?;
    let message = render(run.root(), &[]).expect_err("no run").to_string();
    assert!(message.contains("config.toml"), "{message}");
    fs_err::write(run.config(), "")?;
    for (content, found) in
        [(None, "no such file"), (Some(""), "an empty file"), (Some("{\"st"), "no whole line")]
    {
        if let Some(content) = content {
            fs_err::write(run.metrics(), content)?;
        }
        let error = render(run.root(), &[]).expect_err("no metrics");
        assert!(matches!(error, ReportError::NoMetrics { .. }));
        let message = error.to_string();
        assert!(message.contains(found) && message.contains("metrics.jsonl"), "{message}");
    }
    Ok(())
}

#[test]
fn figures_on_the_way_are_titled_by_their_epoch() -> Tested {
    let parent = tempfile::tempdir()?;
    let run = synthetic_run(parent.path())?;
    assert!(!render(run.root(), &[])?.contains("Figures on the way"));
    let before = render(run.root(), &[])?.matches("<figure><img").count();
    for epoch in [100, 13, 25] {
        grid("figure", 0.3)?.write_png(&run.epoch_plots(epoch).join("attributes.png"))?;
    }
    fs_err::create_dir_all(run.epoch_plots(7))?; // nothing was drawn
    let page = render(run.root(), &[])?;
    let places = ["Figures on the way", "After epoch 13<", "After epoch 25<", "After epoch 100<"];
    let places: Vec<Option<usize>> = places.iter().map(|words| page.find(words)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    assert!(!page.contains("After epoch 7<"));
    assert_eq!(page.matches("<figure><img").count(), before + 3);
    Ok(())
}

#[test]
fn other_runs_are_laid_beside() -> Tested {
    let parent = tempfile::tempdir()?;
    let run = synthetic_run(parent.path())?;
    let page = render(run.root(), &[run.root().to_path_buf()])?;
    assert!(page.contains(&format!("<h2>Beside {}</h2>", run.name())), "the section");
    assert!(page.contains("Discriminator loss") && page.contains("Generator loss"), "its plots");
    assert!(!render(run.root(), &[])?.contains("<h2>Beside"), "alone");

    // An autoencoder's own columns are shown for it alone, and named by it.
    let other = RunDir::create_next(parent.path(), "vae")?;
    fs_err::write(other.config(), "seed = 1\n")?;
    fs_err::write(other.metrics(), "{\"images_seen\":64,\"loss\":2.5,\"mse\":0.1}\n")?;
    let page = render(run.root(), &[other.root().to_path_buf()])?;
    let beside = page.split("<h2>Beside").nth(1).and_then(|rest| rest.split("<h2>").next());
    let beside = beside.ok_or("no section")?;
    for (title, names) in
        [("Discriminator loss", [true, false]), ("Mean squared error", [false, true])]
    {
        let plot = beside.split("<svg").find(|plot| plot.contains(title)).ok_or(title)?;
        assert_eq!([run.name(), other.name()].map(|name| plot.contains(&name)), names, "{title}");
    }
    assert!(!beside.contains(">Accuracy<"), "none has it");
    Ok(())
}
