//! What is in a folder of shards already: finished, damaged, half removed, or somebody else's.

use std::path::{Path, PathBuf};

use gan_data::{Dataset, PrepareOptions, Source, prepare};

use crate::Outcome;
use crate::fixtures::{
    self, assert_says, contents, folder, mnist, pictures, prepared, refusal, small,
};

/// A folder of three pictures and a file that is none.
fn with_one_damaged(at: &Path) -> fixtures::Result<PathBuf> {
    let source = at.join("in");
    pictures(&source, 3)?;
    std::fs::write(source.join("bad.jpg"), "text")?;
    Ok(source)
}

#[test]
fn strict_is_asked_of_a_finished_folder_too() -> Outcome {
    let at = folder()?;
    let source = with_one_damaged(at.path())?;
    let out = at.path().join("out");
    prepared(&source, &out, &small())?;
    let strict = PrepareOptions { strict: true, ..small() };
    assert_says(&refusal(&source, &out, &strict), &["out", "one that left out 1", "prepare.log"]);
    Ok(())
}

#[test]
fn a_folder_of_others_is_left_without_a_trace() -> Outcome {
    let at = folder()?;
    mnist(at.path(), 30, true)?;
    let thesis = at.path().join("thesis");
    std::fs::create_dir(&thesis)?;
    std::fs::write(thesis.join("chapter.tex"), "text")?;
    assert_says(&refusal(at.path(), &thesis, &small()), &["chapter.tex"]);
    assert_eq!(std::fs::read_dir(&thesis)?.count(), 1);
    Ok(())
}

/// An interrupted output inside of its source is no part of it.
#[test]
fn an_unfinished_output_among_the_pictures_is_skipped() -> Outcome {
    let at = folder()?;
    let source = at.path().join("in");
    pictures(&source, 40)?;
    let out = source.join("in-shards");
    prepared(&source, &out, &small())?;
    let whole = contents(&out)?;
    for gone in ["manifest.json", "prepare.log", "shard-00001.safetensors"] {
        std::fs::remove_file(out.join(gone))?;
    }
    prepared(&source, &out, &small())?;
    assert_eq!(contents(&out)?, whole);
    Ok(())
}

/// What an interrupted preparation finds is only taken where it is as it was written.
#[test]
fn a_damaged_shard_is_made_again() -> Outcome {
    let at = folder()?;
    mnist(at.path(), 30, true)?;
    let out = at.path().join("out");
    prepared(at.path(), &out, &small())?;
    let whole = contents(&out)?;
    let shard = out.join("shard-00001.safetensors");
    let mut bytes = whole["shard-00001.safetensors"].clone();
    *bytes.last_mut().expect("not empty") ^= 1;
    for finished in [true, false] {
        std::fs::write(&shard, &bytes)?;
        if !finished {
            std::fs::remove_file(out.join("manifest.json"))?;
        }
        assert!(!prepared(at.path(), &out, &small())?.0.reused);
        assert_eq!(contents(&out)?, whole);
    }
    assert!(prepared(at.path(), &out, &small())?.0.reused);
    Ok(())
}

#[test]
fn other_options_are_no_loss_where_nothing_was_stored() -> Outcome {
    let at = folder()?;
    let source = with_one_damaged(at.path())?;
    let out = at.path().join("out");
    let strict = PrepareOptions { strict: true, ..small() };
    assert_says(&refusal(&source, &out, &strict), &["bad.jpg"]);
    std::fs::remove_file(source.join("bad.jpg"))?;
    prepared(&source, &out, &strict)?;
    Ok(())
}

#[test]
fn cleaning_a_cache_leaves_what_is_not_its_own_or_in_use() -> Outcome {
    let at = folder()?;
    let cache = at.path().join("cache");
    let source = Source::detect("synthetic-digits")?;
    let options = PrepareOptions { limit: Some(40), ..Default::default() };
    prepare(&source, &cache.join("mine"), &options, &|_| {})?;
    let tried = std::sync::Mutex::new(Vec::new());
    let (made, _) = gan_data::cache::prepared(&source, &cache, &options, &|_| {
        let mut tried = tried.lock().expect("nobody panics");
        for entry in gan_data::cache::entries(&cache).expect("a cache") {
            tried.push(gan_data::cache::remove(&entry).expect("it can be asked"));
        }
    })?;
    let tried = tried.into_inner()?;
    assert!(!tried.is_empty() && tried.iter().all(|removed| !removed), "{tried:?}");
    Dataset::open(&made)?;
    let entries = gan_data::cache::entries(&cache)?;
    assert_eq!(entries.len(), 1);
    assert!(gan_data::cache::remove(&entries[0])? && !made.exists());
    Dataset::open(&cache.join("mine"))?;
    Ok(())
}

#[test]
fn a_newer_manifest_is_left_as_it_is() -> Outcome {
    let at = folder()?;
    mnist(at.path(), 30, true)?;
    let out = at.path().join("out");
    prepared(at.path(), &out, &small())?;
    let path = out.join("manifest.json");
    let newer = std::fs::read_to_string(&path)?.replace("\"version\": 2", "\"version\": 99");
    std::fs::write(&path, &newer)?;
    assert_says(&refusal(at.path(), &out, &small()), &["version 99", "newer program"]);
    assert_eq!(std::fs::read_to_string(&path)?, newer);
    Ok(())
}

/// What a shard says was left out is as much part of it as its pictures.
#[test]
fn a_damaged_list_in_a_shard_is_made_again() -> Outcome {
    let at = folder()?;
    let source = with_one_damaged(at.path())?;
    let out = at.path().join("out");
    prepared(&source, &out, &small())?;
    let whole = contents(&out)?;
    let shard = out.join("shard-00000.safetensors");
    let mut bytes = std::fs::read(&shard)?;
    let name = bytes.windows(7).position(|w| w == b"bad.jpg").expect("in the header");
    bytes[name] = b'c';
    std::fs::write(&shard, bytes)?;
    std::fs::remove_file(out.join("manifest.json"))?;
    prepared(&source, &out, &small())?;
    assert_eq!(contents(&out)?, whole);
    Ok(())
}

/// A removal that was killed half-way.
#[test]
fn what_is_left_of_a_removal_is_in_nobodys_way() -> Outcome {
    let at = folder()?;
    let cache = at.path().join("cache");
    let source = Source::detect("synthetic-digits")?;
    let options = PrepareOptions { limit: Some(40), ..Default::default() };
    let (made, _) = gan_data::cache::prepared(&source, &cache, &options, &|_| {})?;
    let mut half = made.clone().into_os_string();
    half.push(".removed");
    std::fs::rename(&made, &half)?;
    std::fs::remove_file(Path::new(&half).join("prepare.json"))?;
    gan_data::cache::prepared(&source, &cache, &options, &|_| {})?;
    let entries = gan_data::cache::entries(&cache)?;
    assert_eq!(entries.len(), 2);
    for entry in entries.iter().rev().filter(|entry| entry.path.exists()) {
        assert!(gan_data::cache::remove(entry)?);
    }
    assert_eq!(std::fs::read_dir(&cache)?.count(), 0);
    Ok(())
}
