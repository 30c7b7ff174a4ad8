//! What each kind of part draws, stores and encodes; what is refused.

use super::*;

fn two_parts() -> Latent {
    let part =
        |name: &str, size| Part { name: name.into(), distribution: Distribution::Normal { size } };
    Latent::new(vec![part("shape", 3), part("color", 2)])
}

#[test]
fn parts_are_encoded_side_by_side() -> Result<()> {
    let latent = two_parts();
    let batch = latent.sample(4, &mut Stream::named("z", 1), &Device::Cpu)?;
    assert_eq!(batch.len(), 4);
    let encoded = batch.encode()?;
    assert_eq!(encoded.dims(), [4, latent.encoded_size()]);
    let (name, color) = batch.parts().nth(1).expect("two parts");
    assert_eq!(name, "color");
    assert_eq!(
        encoded.narrow(1, 3, 2)?.to_vec2::<f32>()?,
        color.to_vec2::<f32>()?,
        "the second part follows the first"
    );
    Ok(())
}

#[test]
fn stored_values_come_back_and_wrong_ones_are_refused() -> Result<()> {
    let latent = two_parts();
    let batch = latent.sample(4, &mut Stream::named("z", 1), &Device::Cpu)?;
    let again = latent
        .batch(|name| Ok(batch.parts().find(|(n, _)| *n == name).expect("stored").1.clone()))?;
    assert_eq!(again.encode()?.to_vec2::<f32>()?, batch.encode()?.to_vec2::<f32>()?);
    let wrong = latent.batch(|_| Tensor::zeros((4, 3), candle_core::DType::F32, &Device::Cpu));
    assert!(wrong.expect_err("color has 2 entries").to_string().contains("color"));
    Ok(())
}

/// One part of every kind.
fn every_kind() -> Latent {
    let text = r#"
        latent = [
            { name = "z", kind = "normal", size = 3 },
            { name = "u", kind = "uniform", low = -2.0, high = 2.0, size = 2 },
            { name = "b", kind = "binary", p = 0.25, size = 2 },
            { name = "l", kind = "levels", levels = 10, size = 2 },
            { name = "c", kind = "categorical", classes = 4, count = 2 },
            { name = "a", kind = "attributes", names = ["Smiling", "Male"], frequencies = [0.5, 0.1] },
        ]
    "#;
    toml::from_str::<File>(text).expect("well formed").latent
}

#[derive(Deserialize, Serialize)]
struct File {
    latent: Latent,
}

#[test]
fn toml_form() {
    let text = "[[latent]]\nname = \"z\"\nkind = \"normal\"\nsize = 100\n";
    let file: File = toml::from_str(text).expect("well formed");
    assert_eq!(file.latent, Latent::normal(100));
    assert_eq!(toml::to_string(&file).expect("plain data"), text);
    assert!(toml::from_str::<File>(&format!("{text}sise = 3\n")).is_err(), "unknown key");
    let file = File { latent: every_kind() };
    let again: File = toml::from_str(&toml::to_string(&file).expect("plain data")).expect("own");
    assert_eq!(again.latent, file.latent);
}

#[test]
fn every_kind_draws_what_it_says() -> Result<()> {
    const N: usize = 4000;
    let latent = every_kind();
    assert!(latent.check().is_ok());
    assert_eq!(latent.encoded_size(), 3 + 2 + 2 + 2 + 8 + 2);
    assert_eq!(latent.encoded_range("c"), Some(9..17));
    let batch = latent.sample(N, &mut Stream::named("kinds", 3), &Device::Cpu)?;
    // Means and variances of the definitions; 5 standard errors of 2·N draws.
    for (name, mean, variance) in [
        ("z", 0.0, 1.0),
        ("u", 0.0, 16.0 / 12.0),
        ("b", 0.25, 0.25 * 0.75),
        ("l", 4.5, 99.0 / 12.0),
        ("c", 1.5, 15.0 / 12.0),
    ] {
        let values = batch.part(name).expect(name).flatten_all()?.to_vec1::<f32>()?;
        let n = values.len() as f64;
        let got = values.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let spread = values.iter().map(|&x| (f64::from(x) - got).powi(2)).sum::<f64>() / n;
        assert!((got - mean).abs() < 5.0 * (variance / n).sqrt(), "{name}: mean {got}");
        assert!((spread / variance - 1.0).abs() < 0.1, "{name}: variance {spread}");
    }
    let attributes = batch.part("a").expect("a").mean(0)?.to_vec1::<f32>()?;
    assert!((attributes[0] - 0.5).abs() < 0.05 && (attributes[1] - 0.1).abs() < 0.03);
    // Every row of the one-hot code holds exactly its class.
    let code = batch.encode()?.narrow(1, 9, 8)?.to_vec2::<f32>()?;
    for (code, classes) in code.iter().zip(batch.part("c").expect("c").to_vec2::<f32>()?) {
        for (one_hot, class) in code.chunks(4).zip(classes) {
            assert_eq!(one_hot.iter().sum::<f32>(), 1.0);
            assert_eq!(one_hot[class as usize], 1.0);
        }
    }
    Ok(())
}

#[test]
fn truncated_normals_stay_within_and_resampling_does_not_pile_up() -> Result<()> {
    let latent = Latent::normal(4);
    let draw = |truncation| -> Result<Vec<f32>> {
        let mut stream = Stream::named("truncation", 1);
        let batch = latent.sample_truncated(1000, &mut stream, Some(truncation), &Device::Cpu)?;
        batch.encode()?.flatten_all()?.to_vec1()
    };
    let at_limit = |values: &[f32]| values.iter().filter(|x| x.abs() == 0.5).count();
    let (resampled, clipped) = (draw(Truncation::Resample(0.5))?, draw(Truncation::Clip(0.5))?);
    assert!(resampled.iter().chain(&clipped).all(|x| x.abs() <= 0.5));
    assert_eq!(at_limit(&resampled), 0);
    let share = at_limit(&clipped) as f64 / 4000.0;
    assert!((share - 0.617).abs() < 0.04, "P(|N| > ½) = 0.617, {share} at the limit");
    Ok(())
}

/// Against the definition, entry by entry, in f64.
#[test]
fn a_temperature_brings_a_part_nearer_to_its_middle() -> Result<()> {
    let latent = Latent::new(vec![
        Part { name: "z".into(), distribution: Distribution::Normal { size: 3 } },
        Part {
            name: "u".into(),
            distribution: Distribution::Uniform { low: 1.0, high: 5.0, size: 2 },
        },
    ]);
    let batch = latent.sample(500, &mut Stream::named("z", 1), &Device::Cpu)?;
    let of = |batch: &LatentBatch, part| {
        batch.part(part).expect("there").flatten_all()?.to_vec1::<f32>()
    };
    for (part, middle) in [("z", 0.0), ("u", 3.0)] {
        for temperature in [0.25, 1.0, 1.5] {
            let tempered = batch.tempered(part, temperature)?;
            for (before, after) in of(&batch, part)?.into_iter().zip(of(&tempered, part)?) {
                let expected = middle + temperature * (f64::from(before) - middle);
                assert!(
                    (f64::from(after) - expected).abs() < 1e-6,
                    "{part} {temperature}: {after}"
                );
            }
            let other = if part == "z" { "u" } else { "z" };
            assert_eq!(of(&tempered, other)?, of(&batch, other)?);
        }
        assert_eq!(of(&batch.tempered(part, 1.0)?, part)?, of(&batch, part)?, "to the bit");
    }
    Ok(())
}

#[test]
fn what_has_no_temperature_is_refused_with_a_reason() -> Result<()> {
    let batch = every_kind().sample(2, &mut Stream::named("z", 1), &Device::Cpu)?;
    for (part, temperature, reason) in [
        ("b", 0.5, "0 or 1"),
        ("a", 0.5, "0 or 1"),
        ("l", 0.5, "0 to 9"),
        ("c", 1.0, "nothing between"),
        ("y", 0.5, "no latent part"),
        ("z", 0.0, "more than 0"),
        ("z", f64::NAN, "more than 0"),
    ] {
        let message = batch.tempered(part, temperature).expect_err(reason).to_string();
        assert!(message.contains(reason) && message.contains(part), "{message}");
    }
    Ok(())
}

#[test]
fn parts_and_entries_are_replaced_by_name() -> Result<()> {
    let batch = every_kind().sample(2, &mut Stream::named("z", 1), &Device::Cpu)?;
    let smiling = batch.with_entry("a", 0, 1.0)?;
    let column = |b: &LatentBatch, i| b.part("a").expect("a").narrow(1, i, 1)?.to_vec2::<f32>();
    assert_eq!(column(&smiling, 0)?, [[1.0], [1.0]]);
    assert_eq!(column(&smiling, 1)?, column(&batch, 1)?);
    assert_eq!(
        smiling.part("z").expect("z").to_vec2::<f32>()?,
        batch.part("z").expect("z").to_vec2::<f32>()?
    );
    for (part, entry, value, reason) in [
        ("a", 2, 1.0, "2 entries"),
        ("a", 0, 0.5, "0 or 1"),
        ("c", 0, 4.0, "0 to 3"),
        ("l", 0, 1.5, "0 to 9"),
        ("y", 0, 0.0, "no latent part"),
    ] {
        let message = batch.with_entry(part, entry, value).expect_err(reason).to_string();
        assert!(message.contains(reason), "{message}");
    }
    Ok(())
}

#[test]
fn entries_have_names() {
    let latent = every_kind();
    let names = |part| latent.part(part).expect("there").entry_names();
    assert_eq!(names("a"), ["Smiling", "Male"]);
    assert_eq!(names("c"), ["c[0]", "c[1]"]);
}

#[test]
fn latents_that_cannot_be_are_refused_with_a_reason() {
    assert!(Latent::new(vec![]).check().is_err());
    assert!(Latent::normal(0).check().is_err());
    let twice = [Latent::normal(1).parts, Latent::normal(2).parts].concat();
    assert!(Latent::new(twice).check().is_err());
    assert!(two_parts().check().is_ok());
    let of = |distribution| Latent::new(vec![Part { name: "p".into(), distribution }]);
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    for (distribution, reason) in [
        (Distribution::Uniform { low: 1.0, high: 1.0, size: 2 }, "low < high"),
        (Distribution::Binary { p: 1.5, size: 2 }, "[0, 1]"),
        (Distribution::Levels { levels: 1, size: 2 }, "levels"),
        (Distribution::Categorical { classes: 1, count: 2 }, "classes"),
        (Distribution::Attributes { names: vec![], frequencies: vec![] }, "size 0"),
        (Distribution::Attributes { names: names(&["A", "A"]), frequencies: vec![] }, "twice"),
        (Distribution::Attributes { names: names(&["A"]), frequencies: vec![0.1, 0.2] }, "2 freq"),
    ] {
        let message = of(distribution).check().expect_err(reason);
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn parts_are_called_what_can_be_typed() {
    let called = |name: &str| {
        let distribution = Distribution::Normal { size: 1 };
        Latent::new(vec![Part { name: name.into(), distribution }]).check()
    };
    for name in ["z", "5_o_Clock_Shadow", "code-2", "Smiling", &"a".repeat(40)] {
        assert_eq!(called(name), Ok(()), "{name}");
    }
    for name in ["", "a b", "a.b", "a/b", "../z", "_z", "-z", "12", "a=b", "é", &"a".repeat(41)] {
        let message = called(name).expect_err(name);
        assert!(message.contains(&format!("{name:?}")) && message.contains("letters"), "{message}");
    }
}

#[test]
fn attributes_are_found_by_name_in_both_forms() {
    let mut latent = every_kind();
    assert_eq!(latent.attribute("Male"), Ok(("a".into(), 1)));
    let nearest = latent.attribute("Mal").expect_err("no such attribute");
    assert!(nearest.contains("\"Male\""), "{nearest}");
    let choice = Distribution::Categorical { classes: 2, count: 1 };
    latent.parts.push(Part { name: "Young".into(), distribution: choice });
    assert_eq!(latent.attribute("Young"), Ok(("Young".into(), 0)));
    assert!(Latent::normal(3).attribute("Male").is_err());
}

#[test]
fn numbers_go_on_between_and_choices_do_not() {
    let kinds = every_kind();
    let discrete: Vec<&str> = kinds
        .parts()
        .iter()
        .filter(|part| part.distribution.is_discrete())
        .map(|part| part.name.as_str())
        .collect();
    assert_eq!(discrete, ["b", "l", "c", "a"]);
}
