//! What a pickle says of a tensor: which elements of which storage it is.

use super::element::{Element, MAX_DIMS, check_shape};
use super::error::shown;
use super::pickle::{Global, Id, Object, Pickle, Value};

/// Wrappings that a tensor may have: a parameter with attributes has one.
const MAX_WRAPPINGS: usize = 8;

/// Bytes of the name of a storage, which PyTorch makes of a number.
const MAX_KEY: usize = 64;

/// A part of a storage, of any strides.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct View<'a> {
    pub(super) storage: Storage<'a>,
    pub(super) element: Element,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    /// As long as `shape`.
    pub(super) strides: Vec<usize>,
}

/// A storage by its name; how long it is was not compared with the file yet.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Storage<'a> {
    pub(super) key: &'a [u8],
    pub(super) element: Element,
    /// Its elements.
    pub(super) len: usize,
    /// First element and length of the part of it that the tensor takes for its storage, in files of older
    /// releases.
    pub(super) part: Option<(usize, usize)>,
}

/// Why something is no tensor that can be had.
#[derive(Debug)]
pub(super) enum Fault {
    /// This function or class would have to be run.
    Foreign(String),
    /// Elements of this type.
    Element(String),
    /// What was expected, and what there is.
    Wrong(&'static str, String),
}

type Result<T> = std::result::Result<T, Fault>;

/// The functions that make tensors.
#[derive(Clone, Copy)]
enum Maker {
    /// Of `(storage, offset, shape, strides)` and what does not matter.
    Plain,
    /// The same for a storage without a type, which stands at place 6.
    Typed,
    /// Of `(tensor, ...)`.
    Wrapper,
    /// Of `(function, class, its arguments, attributes)`.
    Subclass,
}

impl Maker {
    fn named(global: &Global<'_>) -> Option<Self> {
        match (global.module, global.name) {
            (b"torch._utils", b"_rebuild_tensor" | b"_rebuild_tensor_v2") => Some(Self::Plain),
            (b"torch._utils", b"_rebuild_tensor_v3") => Some(Self::Typed),
            (b"torch._utils", b"_rebuild_parameter" | b"_rebuild_parameter_with_state")
            | (b"torch.nn.parameter", b"Parameter") => Some(Self::Wrapper),
            (
                b"torch._tensor" | b"torch.tensor",
                b"_rebuild_from_type" | b"_rebuild_from_type_v2",
            ) => Some(Self::Subclass),
            _ => None,
        }
    }
}

/// Whether an object is a tensor of the kind that is read.
pub(super) fn is_tensor(pickle: &Pickle<'_>, object: &Object) -> bool {
    pickle.global(object.callable).and_then(Maker::named).is_some()
}

/// Whether an object is a tensor of another kind: sparse, quantized, without data.
pub(super) fn is_other_tensor(pickle: &Pickle<'_>, object: &Object) -> bool {
    pickle.global(object.callable).is_some_and(|global| {
        let home = matches!(global.module, b"torch._utils" | b"torch._tensor" | b"torch.tensor");
        home && global.name.starts_with(b"_rebuild") && Maker::named(global).is_none()
    })
}

/// What an object that [`is_tensor`] says.
pub(super) fn read<'a>(pickle: &Pickle<'a>, object: &Object) -> Result<View<'a>> {
    let mut callable = object.callable;
    let mut args = pickle.items(object.args);
    for _ in 0..MAX_WRAPPINGS {
        let Some(maker) = pickle.global(callable).and_then(Maker::named) else {
            return Err(fault(pickle, callable, "a function that makes tensors"));
        };
        match (maker, args) {
            (Maker::Plain, [storage, offset, shape, strides, rest @ ..]) => {
                // requires_grad and hooks, then flags of lazy operations.
                no_flags(pickle, rest.get(2))?;
                return view(pickle, *storage, None, [*offset, *shape, *strides]);
            }
            (Maker::Typed, [storage, offset, shape, strides, _, _, dtype, rest @ ..]) => {
                no_flags(pickle, rest.first())?;
                return view(pickle, *storage, Some(*dtype), [*offset, *shape, *strides]);
            }
            (Maker::Wrapper, [tensor, ..]) => {
                let Value::Object(object) = pickle.value(*tensor) else {
                    return Err(fault(pickle, *tensor, "a tensor"));
                };
                (callable, args) = (object.callable, pickle.items(object.args));
            }
            (Maker::Subclass, [function, class, arguments, ..]) => {
                is_plain_class(pickle, *class)?;
                (callable, args) = (*function, pickle.items(*arguments));
            }
            _ => {
                return Err(Fault::Wrong(
                    "a tensor's arguments",
                    format!("{} of them", args.len()),
                ));
            }
        }
    }
    Err(Fault::Wrong("a tensor", "one that is wrapped again and again".into()))
}

/// Attributes may be lost, but another class may give the same elements another meaning.
fn is_plain_class(pickle: &Pickle<'_>, class: Id) -> Result<()> {
    match pickle.global(class).map(|global| (global.module, global.name)) {
        Some((b"torch", b"Tensor") | (b"torch.nn.parameter", b"Parameter" | b"Buffer")) => Ok(()),
        _ => Err(fault(pickle, class, "the class of a tensor")),
    }
}

/// Refuses tensors that are the negative or the conjugate of what is stored; these two flags there are.
fn no_flags(pickle: &Pickle<'_>, flags: Option<&Id>) -> Result<()> {
    let Some(Value::Dict(flags)) = flags.map(|flags| pickle.value(*flags)) else { return Ok(()) };
    let mut set =
        flags.iter().take(2).filter(|(_, set)| !matches!(pickle.value(*set), Value::Bool(false)));
    match set.next() {
        Some((flag, _)) => {
            Err(Fault::Foreign(format!("a lazy operation, {}", pickle.describe(*flag))))
        }
        None => Ok(()),
    }
}

fn view<'a>(
    pickle: &Pickle<'a>,
    storage: Id,
    dtype: Option<Id>,
    [offset, shape, strides]: [Id; 3],
) -> Result<View<'a>> {
    let storage = Storage::read(pickle, storage)?;
    let element = dtype.map(|dtype| {
        let global = pickle.global(dtype).filter(|global| global.module == b"torch");
        let global = global.ok_or_else(|| fault(pickle, dtype, "a type of elements"))?;
        Element::of_dtype(&shown(global.name)).map_err(|name| Fault::Element(name.into()))
    });
    let element = element.transpose()?.unwrap_or(storage.element);
    let sizes = |id: Id, what| {
        let items = match pickle.value(id) {
            Value::Tuple(_) | Value::List(_) => pickle.items(id),
            _ => return Err(fault(pickle, id, what)),
        };
        if items.len() > MAX_DIMS {
            return Err(Fault::Wrong("a tensor of at most 64 dimensions", items.len().to_string()));
        }
        items.iter().map(|item| size(pickle, *item, what)).collect::<Result<Vec<_>>>()
    };
    let shape = sizes(shape, "a shape")?;
    let strides = sizes(strides, "strides")?;
    if shape.len() != strides.len() {
        let found = format!("{} for {}", strides.len(), shape.len());
        return Err(Fault::Wrong("as many strides as dimensions", found));
    }
    check_shape(&shape).map_err(|found| Fault::Wrong("a shape that fits memory", found))?;
    Ok(View { storage, element, offset: size(pickle, offset, "an offset")?, shape, strides })
}

impl<'a> Storage<'a> {
    /// What the description says that stands in the place of a storage:
    /// `("storage", class, key, device, elements)`, before 1.6 with a part of it or `None`.
    fn read(pickle: &Pickle<'a>, id: Id) -> Result<Self> {
        let Value::Persistent(description) = pickle.value(id) else {
            return Err(fault(pickle, id, "a storage"));
        };
        Self::described(pickle, *description)
    }

    /// As [`Storage::read`], of the description.
    pub(super) fn described(pickle: &Pickle<'a>, description: Id) -> Result<Self> {
        let [kind, class, key, _, len, rest @ ..] = pickle.items(description) else {
            return Err(fault(pickle, description, "the description of a storage"));
        };
        if pickle.text(*kind) != Some(b"storage") {
            return Err(fault(pickle, *kind, "the description of a storage"));
        }
        let homes: [&[u8]; 3] = [b"torch", b"torch.cuda", b"torch.storage"];
        let global = pickle.global(*class).filter(|global| homes.contains(&global.module));
        let global = global.ok_or_else(|| fault(pickle, *class, "a class of storages"))?;
        let element =
            Element::of_storage(&shown(global.name)).map_err(|name| Fault::Element(name.into()))?;
        let part = match rest.first().map(|part| pickle.items(*part)) {
            Some([_, offset, len]) => {
                Some((size(pickle, *offset, "an offset")?, size(pickle, *len, "a length")?))
            }
            _ => None,
        };
        let key = pickle.text(*key).filter(|text| text.len() <= MAX_KEY).ok_or(*key);
        Ok(Self {
            key: key.map_err(|key| fault(pickle, key, "the name of a storage"))?,
            element,
            len: size(pickle, *len, "a number of elements")?,
            part,
        })
    }
}

/// A number that is not negative.
fn size(pickle: &Pickle<'_>, id: Id, what: &'static str) -> Result<usize> {
    let size = match pickle.value(id) {
        Value::Int(n) => usize::try_from(*n).ok(),
        _ => None,
    };
    size.ok_or_else(|| fault(pickle, id, what))
}

fn fault(pickle: &Pickle<'_>, id: Id, expected: &'static str) -> Fault {
    match pickle.value(id) {
        Value::Object(object) => Fault::Foreign(pickle.maker(object)),
        Value::Global(global) => Fault::Foreign(global.to_string()),
        _ => Fault::Wrong(expected, pickle.describe(id)),
    }
}
