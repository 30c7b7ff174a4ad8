//! Interrupted, repeated and conflicting preparations.

use gan_data::{PrepareOptions, Source, prepare};

use crate::Outcome;
use crate::fixtures::{assert_says, celeba, contents, folder, mnist, prepared, refusal, small};

#[test]
fn an_interrupted_preparation_ends_with_the_same_bytes() -> Outcome {
    let at = folder()?;
    let zip = celeba(at.path(), 60, "\n")?;
    let mut bytes = std::fs::read(&zip)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1; // One damaged picture, whose entry in the log must survive too.
    std::fs::write(&zip, bytes)?;
    let out = at.path().join("out");
    prepared(&zip, &out, &small())?;
    let whole = contents(&out)?;
    assert_eq!(whole.keys().filter(|name| name.starts_with("shard-")).count(), 4);

    // As after a kill: no manifest, a shard that was not reached, one half written by hand, and a
    // temporary file.
    for gone in ["manifest.json", "prepare.log", "shard-00002.safetensors"] {
        std::fs::remove_file(out.join(gone))?;
    }
    let cut = &whole["shard-00001.safetensors"];
    std::fs::write(out.join("shard-00001.safetensors"), &cut[..cut.len() / 2])?;
    std::fs::write(out.join(".writing-abc.tmp"), "half")?;
    let kept = out.join("shard-00000.safetensors");
    let time = std::fs::metadata(&kept)?.modified()?;
    let (done, _) = prepared(&zip, &out, &small())?;
    assert_eq!(contents(&out)?, whole);
    assert_eq!(std::fs::metadata(&kept)?.modified()?, time, "a whole shard is not made again");
    assert!(!done.reused && done.skipped.len() == 1);
    Ok(())
}

#[test]
fn the_number_of_threads_does_not_matter() -> Outcome {
    let at = folder()?;
    celeba(at.path(), 50, "\n")?;
    let one = at.path().join("one");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let source = Source::detect(&at.path().display().to_string())?;
    pool.install(|| prepare(&source, &one, &small(), &|_| {}))?;
    let many = at.path().join("many");
    prepare(&source, &many, &small(), &|_| {})?;
    assert_eq!(contents(&one)?, contents(&many)?);
    Ok(())
}

#[test]
fn what_is_there_is_reused_or_refused() -> Outcome {
    let at = folder()?;
    mnist(at.path(), 30, true)?;
    let out = at.path().join("out");
    assert!(!prepared(at.path(), &out, &small())?.0.reused);
    let (again, _) = prepared(at.path(), &out, &small())?;
    assert!(again.reused && again.manifest.counts.train == 30);

    let message = refusal(at.path(), &out, &PrepareOptions { seed: 3, limit: Some(9), ..small() });
    assert_says(&message, &["seed is 0, now 3 was asked", "limit is none, now 9 was asked"]);
    mnist(at.path(), 31, true)?;
    assert_says(&refusal(at.path(), &out, &small()), &["source.digest"]);

    let foreign = at.path().join("foreign");
    std::fs::create_dir(&foreign)?;
    std::fs::write(foreign.join("thesis.tex"), "text")?;
    assert_says(&refusal(at.path(), &foreign, &small()), &["thesis.tex", "an empty folder"]);
    assert_eq!(contents(&foreign)?["thesis.tex"], b"text");
    Ok(())
}

#[test]
fn two_at_once_in_one_folder_are_refused() -> Outcome {
    let at = folder()?;
    mnist(at.path(), 30, true)?;
    let out = at.path().join("out");
    let source = Source::detect(&at.path().display().to_string())?;
    let second = std::sync::Mutex::new(None);
    prepare(&source, &out, &small(), &|_| {
        let mut second = second.lock().expect("nobody panics");
        second.get_or_insert_with(|| prepare(&source, &out, &small(), &|_| {}).err());
    })?;
    let error = second.into_inner()?.flatten().expect("the second was refused");
    assert_says(&error.to_string(), &["out", "another process"]);
    Ok(())
}
