//! The invariants of ARCHITECTURE.md, over what cargo knows and over the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// What each member may depend on among the members; dependencies for tests alone count too.
const ALLOWED: [(&str, &[&str]); 11] = [
    ("gan-core", &[]),
    ("gan-kernels", &["gan-core"]),
    ("gan-models", &["gan-core", "gan-kernels"]),
    ("gan-data", &["gan-core"]),
    ("gan-report", &["gan-core"]),
    ("gan-train", &["gan-core", "gan-kernels", "gan-models", "gan-data"]),
    ("gan-latent", &["gan-core", "gan-kernels", "gan-models"]),
    ("gan-eval", &["gan-core", "gan-kernels", "gan-models", "gan-data"]),
    ("gan-cli", ALL_LIBRARIES),
    ("xtask", ALL_LIBRARIES),
    ("integration-tests", ALL_LIBRARIES),
];

const ALL_LIBRARIES: &[&str] = &[
    "gan-core",
    "gan-kernels",
    "gan-models",
    "gan-data",
    "gan-report",
    "gan-train",
    "gan-latent",
    "gan-eval",
];

/// Packages of programs: a library neither parses arguments, nor shows progress, nor serves pages.
const PROGRAM_ONLY: [&str; 7] =
    ["anyhow", "axum", "clap", "comfy-table", "ctrlc", "indicatif", "tracing-subscriber"];

fn members() -> Vec<Package> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec();
    let packages = metadata.expect("cargo reads the workspace").packages;
    assert!(packages.len() >= ALLOWED.len(), "members are missing");
    packages
}

fn is_library(package: &Package) -> bool {
    ALL_LIBRARIES.contains(&package.name.as_str())
}

#[test]
fn members_depend_on_each_other_as_drawn() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.into_iter().collect();
    let packages = members();
    let names: BTreeSet<&str> = packages.iter().map(|p| p.name.as_str()).collect();
    for package in &packages {
        let name = package.name.as_str();
        let may = allowed.get(name).unwrap_or_else(|| panic!("{name} is not in ARCHITECTURE.md"));
        for dependency in &package.dependencies {
            let on = dependency.name.as_str();
            assert!(!names.contains(on) || may.contains(&on), "{name} must not depend on {on}");
        }
    }
}

#[test]
fn libraries_do_without_the_packages_of_programs() {
    for package in members().iter().filter(|p| is_library(p)) {
        for dependency in &package.dependencies {
            let program_only = PROGRAM_ONLY.contains(&dependency.name.as_str());
            let for_tests = dependency.kind == DependencyKind::Development;
            assert!(
                !program_only || for_tests,
                "{} must not use {}",
                package.name,
                dependency.name
            );
        }
    }
}

#[test]
fn every_member_takes_the_lints_of_the_workspace() {
    for package in members() {
        let manifest = read(package.manifest_path.as_std_path());
        let inherits = manifest.contains("[lints]\nworkspace = true");
        assert!(inherits, "{} has no `[lints] workspace = true`", package.manifest_path);
    }
}

/// `unsafe` lives in gan-kernels and in the file of gan-data that maps files into memory, and each
/// block says why it is sound.
#[test]
fn unsafe_code_stays_where_it_is_allowed() {
    for source in sources(|_| true, &["src", "tests", "benches"]) {
        let lines: Vec<&str> = source.code.lines().collect();
        for (i, line) in lines.iter().enumerate().filter(|(_, line)| has_unsafe(line)) {
            let mmap = source.package == "gan-data" && source.path.ends_with("mapped.rs");
            assert!(
                source.package == "gan-kernels" || mmap,
                "{}:{}: unsafe outside of gan-kernels and the mmap file",
                source.path.display(),
                i + 1
            );
            let reason = lines[..i].iter().rev().take_while(|l| is_prelude(l));
            let reasoned =
                reason.into_iter().any(|l| l.contains("SAFETY:") || l.contains("# Safety"));
            let place = format!("{}:{}", source.path.display(), i + 1);
            assert!(
                reasoned || line.contains("// SAFETY:"),
                "{place}: unsafe without `// SAFETY:`"
            );
        }
    }
}

/// Whether a line opens unsafe code; the lint's name, comments and strings do not count.
fn has_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let outside_of_strings = code.split('"').step_by(2);
    let words =
        outside_of_strings.flat_map(|c| c.split(|c: char| !c.is_alphanumeric() && c != '_'));
    words.into_iter().any(|word| word == "unsafe")
}

/// Comments, attributes and the head of the statement that an unsafe block belongs to.
fn is_prelude(line: &str) -> bool {
    let line = line.trim_end();
    let start = line.trim_start();
    start.starts_with("//") || start.starts_with("#[") || line.ends_with(['=', '(', ','])
}

#[test]
fn libraries_do_not_print() {
    for source in sources(is_library, &["src"]) {
        for (i, line) in source.code.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let prints =
                ["println!", "print!(", "eprint!(", "dbg!("].iter().any(|m| code.contains(m));
            assert!(!prints, "{}:{}: a library prints", source.path.display(), i + 1);
        }
    }
}

fn computes_with_candle(package: &Package) -> bool {
    package.name != "gan-kernels" && (is_library(package) || package.name == "gan-cli")
}

/// candle's own are slow on a CPU and wrong in places on other devices; `gan-kernels` knows where.
#[test]
fn only_the_kernels_use_candles_convolutions_and_batch_norm() {
    let theirs = [".conv2d(", ".conv_transpose2d(", "candle_nn::conv", "candle_nn::batch_norm"];
    for source in sources(computes_with_candle, &["src"]) {
        for (i, line) in source.code.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let used = theirs.iter().find(|name| code.contains(**name));
            assert!(used.is_none(), "{}:{}: {used:?}", source.path.display(), i + 1);
        }
    }
}

#[test]
fn no_test_is_ignored() {
    let attribute = concat!("#[", "ignore");
    for source in sources(|_| true, &["src", "tests", "benches"]) {
        let ignored = source.code.lines().position(|line| line.trim_start().starts_with(attribute));
        assert!(ignored.is_none(), "{}:{ignored:?}: an ignored test", source.path.display());
    }
}

/// A Rust file of a member.
struct Source {
    package: String,
    path: PathBuf,
    code: String,
}

/// Rust files of the members that `wanted` picks, in these of their folders.
fn sources(wanted: impl Fn(&Package) -> bool, folders: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    for package in members().iter().filter(|p| wanted(p)) {
        let root = package.manifest_path.parent().expect("a manifest is in a folder");
        let before = found.len();
        let folders = folders.iter().map(|folder| root.as_std_path().join(folder));
        for path in folders.flat_map(|folder| rust_files(&folder)) {
            found.push(Source { package: package.name.to_string(), code: read(&path), path });
        }
        assert!(found.len() > before, "{} has no sources", package.name);
    }
    found
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let files = paths.flat_map(|path| match path.is_dir() {
        true => rust_files(&path),
        false => vec![path],
    });
    files.filter(|path| path.extension().is_some_and(|e| e == "rs")).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
