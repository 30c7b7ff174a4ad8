//! The dimensions ranked by what they change, as a table and as CSV.

use gan_latent::EntryEffect;
use gan_latent::ranking::{entries_of, images_needed, rank_entries};

use super::chosen::Chosen;
use super::moved::Moved;
use crate::cmd::tables;
use crate::cmd::tables::csv_field;
use crate::console::Console;
use crate::explored::Explored;

/// Latents over which effects are means.
pub(super) const LATENTS: usize = 64;

/// How the numbers come about.
pub(super) const PROTOCOL: &str = "expected absolute change of a pixel on the scale [0, 1] when one dimension is drawn anew \
     and all others are held, its standard error over the latents, and its share of the change between two independent images";

/// The chosen dimensions, or all of the chosen parts, the largest effect first.
pub(super) fn rank(
    explored: &Explored,
    chosen: &Chosen<'_>,
    seed: u64,
    console: &Console,
) -> anyhow::Result<Vec<EntryEffect>> {
    let latent = explored.latent();
    let mut entries = Vec::new();
    for part in &chosen.parts {
        entries.extend(entries_of(latent, Some(&part.name)));
    }
    if !chosen.dims.is_empty() {
        entries.retain(|(_, entry)| chosen.dims.contains(entry));
    }
    let line = console.progress("ranking", images_needed(entries.len(), LATENTS) as u64);
    let progress = |done| line.set(done as u64, "");
    let (generator, device) = (&explored.generator, &explored.device);
    Ok(rank_entries(generator, latent, &entries, LATENTS, seed, device, progress)?)
}

/// The first rows for people; with a classifier what moves with each.
pub(super) fn table(ranking: &[EntryEffect], most: usize, moved: Option<&Moved>) -> String {
    let row = |(i, effect): (usize, &EntryEffect)| {
        let mut row = vec![
            (i + 1).to_string(),
            effect.name.clone(),
            format!("{:.4}", effect.change),
            format!("{:.4}", effect.standard_error),
            format!("{:.1} %", effect.share * 100.0),
        ];
        row.extend(moved.map(|moved| moved.told(&effect.part, effect.entry)));
        row
    };
    let rows = ranking.iter().enumerate().take(most).map(row).collect();
    let mut head = vec!["rank", "dimension", "change", "±", "of independent"];
    head.extend(moved.map(|_| "moves (points)"));
    let table = tables::table(&head, &[0, 2, 3, 4], rows);
    match ranking.len().saturating_sub(most) {
        0 => table,
        more => format!("{table}\nand {more} that change less"),
    }
}

/// All rows.
pub(super) fn csv(ranking: &[EntryEffect]) -> String {
    let mut text = String::from("rank,part,entry,name,change,standard_error,share\n");
    for (i, effect) in ranking.iter().enumerate() {
        let EntryEffect { part, entry, name, change, standard_error, share } = effect;
        let name = csv_field(name);
        text.push_str(&format!(
            "{},{part},{entry},{name},{change},{standard_error},{share}\n",
            i + 1
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(name: &str, change: f64) -> EntryEffect {
        EntryEffect {
            part: "a".into(),
            entry: 3,
            name: name.into(),
            change,
            standard_error: 0.001,
            share: change / 0.2,
        }
    }

    #[test]
    fn tables_are_cut_and_csv_is_whole() {
        let ranking = [effect("a[3]", 0.1), effect("Big, \"red\"", 0.05), effect("c", 0.0)];
        let table = table(&ranking, 2, None);
        assert!(table.contains("   1  a[3]") && table.contains("50.0 %"), "{table}");
        assert!(table.ends_with("and 1 that change less"), "{table}");
        let csv = csv(&ranking);
        assert_eq!(csv.lines().count(), 4);
        assert_eq!(csv.lines().nth(1), Some("1,a,3,a[3],0.1,0.001,0.5"));
        assert_eq!(csv.lines().nth(2), Some("2,a,3,\"Big, \"\"red\"\"\",0.05,0.001,0.25"));
    }
}
