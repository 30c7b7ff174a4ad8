//! `presets`: the list, or one as TOML.

use clap::Args;
use gan_train::Preset;
use gan_train::preset::PRESETS;

use super::{print, print_json, tables};
use crate::args::Global;

/// List the presets, or print one as TOML
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  gan-cli presets\n  gan-cli presets dcgan")]
pub(crate) struct Presets {
    /// The preset to print
    name: Option<String>,
}

impl Presets {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<()> {
        if let Some(name) = self.name {
            let preset = Preset::find(&name)?;
            if global.json {
                return print_json(&serde_json::to_value(preset.config()?)?);
            }
            return print(preset.toml);
        }
        if global.json {
            let list = PRESETS
                .iter()
                .map(|p| serde_json::json!({"name": p.name, "summary": p.summary()}))
                .collect::<Vec<_>>();
            return print_json(&serde_json::json!({ "presets": list }));
        }
        let rows = PRESETS.iter().map(|p| vec![p.name.into(), p.summary().into()]).collect();
        print(&tables::table(&["preset", "what"], &[], rows))?;
        print("\nnext: gan-cli presets NAME   or   gan-cli train NAME")
    }
}
