//! Names of tensors in nested dictionaries and lists.

use std::collections::HashSet;
use std::path::Path;

use super::error::{StateDictError, shown};
use super::pickle::{Id, Object, Pickle, Value};
use super::view::{self, Fault, View, is_other_tensor, is_tensor};

/// What DataParallel puts before every name.
pub(super) const WRAPPED: &str = "module.";

/// How deep dictionaries and lists may lie in each other.
const MAX_DEPTH: usize = 64;

/// What the list of tensors may take in memory: so many bytes for each of the pickle, and some more for
/// small ones. Only pickles that mention the same dictionary again and again come near.
const EXPANSION: usize = 16;
const SMALL: usize = 1 << 20;

/// The tensors of a pickle in its order.
pub(super) fn tensors<'a>(
    path: &Path,
    pickle: &Pickle<'a>,
) -> Result<Vec<(String, View<'a>)>, StateDictError> {
    let left = pickle.length().saturating_mul(EXPANSION).saturating_add(SMALL);
    let mut walk =
        Walk { path, pickle, left, found: Vec::new(), foreign: None, without: HashSet::new() };
    walk.run()?;
    if walk.found.is_empty() {
        return Err(walk.nothing());
    }
    Ok(walk.found)
}

struct Walk<'a, 'p> {
    path: &'p Path,
    pickle: &'p Pickle<'a>,
    left: usize,
    found: Vec<(String, View<'a>)>,
    /// The first object that was passed over: where it is and what makes it.
    foreign: Option<(String, String)>,
    /// Values in which no tensors are.
    without: HashSet<Id>,
}

/// A dictionary or list in whose midst the walk is.
struct Frame<'p> {
    children: Children<'p>,
    next: usize,
    /// Length of its name.
    name: usize,
    /// Whether its keys lose [`WRAPPED`].
    wrapped: bool,
}

#[derive(Clone, Copy)]
enum Children<'p> {
    Items(&'p [Id]),
    /// Python 2 calls `OrderedDict` with a list of pairs; later ones set entries.
    Entries(&'p [Id], &'p [(Id, Id)]),
}

/// A part of a name.
#[derive(Clone, Copy)]
enum Key<'a> {
    Text(&'a [u8]),
    Number(i64),
    Place(usize),
}

impl Key<'_> {
    fn is_wrapped(self) -> bool {
        matches!(self, Self::Text(text) if text.starts_with(WRAPPED.as_bytes()))
    }

    fn write_to(self, name: &mut String, unwrap: bool) {
        if !name.is_empty() {
            name.push('.');
        }
        match self {
            Self::Text(text) => {
                let unwrapped = text.strip_prefix(WRAPPED.as_bytes()).filter(|_| unwrap);
                name.push_str(&String::from_utf8_lossy(unwrapped.unwrap_or(text)));
            }
            Self::Number(n) => name.push_str(&n.to_string()),
            Self::Place(place) => name.push_str(&place.to_string()),
        }
    }
}

impl Children<'_> {
    fn len(self) -> usize {
        match self {
            Self::Items(items) => items.len(),
            Self::Entries(pairs, entries) => pairs.len() + entries.len(),
        }
    }
}

impl<'a, 'p> Walk<'a, 'p> {
    fn run(&mut self) -> Result<(), StateDictError> {
        let mut name = String::new();
        let mut frames: Vec<_> = self.visit(self.pickle.root(), &name)?.into_iter().collect();
        while let Some(frame) = frames.last_mut() {
            if frame.next == frame.children.len() {
                frames.pop();
                continue;
            }
            let (key, id) = self.child(frame.children, frame.next);
            frame.next += 1;
            let Some(key) = key.filter(|_| self.may_hold_tensors(id)) else { continue };
            name.truncate(frame.name);
            key.write_to(&mut name, frame.wrapped);
            self.pay(name.len())?;
            let inner = self.visit(id, &name)?;
            frames.extend(inner);
            if frames.len() > MAX_DEPTH {
                let expected = format!("at most {MAX_DEPTH} dictionaries and lists in each other");
                return Err(StateDictError::other(self.path, expected, "more, or one in itself"));
            }
        }
        Ok(())
    }

    /// Takes a tensor, or opens what may contain some.
    fn visit(&mut self, id: Id, name: &str) -> Result<Option<Frame<'p>>, StateDictError> {
        let pickle = self.pickle;
        let children = match pickle.value(id) {
            Value::List(_) | Value::Tuple(_) => Children::Items(pickle.items(id)),
            Value::Dict(entries) => Children::Entries(&[], entries),
            Value::Object(object) => match entries(pickle, object) {
                Some(children) => children,
                None => {
                    self.object(object, name)?;
                    return Ok(None);
                }
            },
            _ => return Ok(None),
        };
        self.pay(children.len())?;
        Ok(Some(Frame { children, next: 0, name: name.len(), wrapped: self.is_wrapped(children) }))
    }

    fn object(&mut self, object: &Object, name: &str) -> Result<(), StateDictError> {
        let (path, pickle) = (self.path, self.pickle);
        if is_tensor(pickle, object) {
            let view = view::read(pickle, object).map_err(|fault| refusal(path, name, fault))?;
            if name.is_empty() {
                let found = "a tensor without a name";
                return Err(StateDictError::other(path, "a dictionary of tensors", found));
            }
            self.pay(size_of::<View<'_>>() + 16 * view.shape.len())?;
            self.found.push((name.into(), view));
            return Ok(());
        }
        if is_other_tensor(pickle, object) {
            return Err(refusal(path, name, Fault::Foreign(pickle.maker(object))));
        }
        if let Some(Value::Dict(state)) = object.state.map(|state| pickle.value(state)) {
            self.pay(state.len())?;
        }
        // Objects beside weights, such as the options of a run, are nothing of ours; but who saved a module
        // expects to find it.
        if is_module(pickle, object) && (name.is_empty() || self.holds_tensors(object.state)) {
            let class = pickle.maker(object);
            return Err(StateDictError::Module { path: path.into(), name: place(name), class });
        }
        self.foreign.get_or_insert_with(|| (name.into(), pickle.maker(object)));
        Ok(())
    }

    /// A key as a part of a name, if it can be one, and its value.
    fn child(&self, children: Children<'p>, i: usize) -> (Option<Key<'a>>, Id) {
        let (key, id) = match children {
            Children::Items(items) => return (Some(Key::Place(i)), items[i]),
            Children::Entries(pairs, entries) => match pairs.get(i) {
                Some(pair) => match self.pickle.items(*pair) {
                    [key, id] => (*key, *id),
                    _ => return (None, *pair),
                },
                None => entries[i - pairs.len()],
            },
        };
        let key = match self.pickle.value(key) {
            Value::Text(text) => Some(Key::Text(text)),
            Value::Int(n) => Some(Key::Number(*n)),
            _ => None,
        };
        (key, id)
    }

    fn may_hold_tensors(&self, id: Id) -> bool {
        matches!(
            self.pickle.value(id),
            Value::List(_) | Value::Tuple(_) | Value::Dict(_) | Value::Object(_)
        )
    }

    /// Whether a dictionary has tensors, all of them under keys that begin with [`WRAPPED`].
    fn is_wrapped(&self, children: Children<'p>) -> bool {
        let Children::Entries(..) = children else { return false };
        let mut wrapped = false;
        for i in 0..children.len() {
            let (Some(key), id) = self.child(children, i) else { continue };
            match self.pickle.value(id) {
                Value::Object(object) if is_tensor(self.pickle, object) => {
                    wrapped = key.is_wrapped();
                    if !wrapped {
                        return false;
                    }
                }
                _ => {}
            }
        }
        wrapped
    }

    /// Whether there are tensors among what an object was given. Everything is looked at once in all calls.
    fn holds_tensors(&mut self, state: Option<Id>) -> bool {
        let pickle = self.pickle;
        let mut open = Vec::from_iter(state);
        while let Some(id) = open.pop() {
            if !self.without.insert(id) {
                continue;
            }
            match pickle.value(id) {
                Value::List(_) | Value::Tuple(_) => open.extend(pickle.items(id)),
                Value::Dict(entries) => open.extend(entries.iter().map(|(_, value)| *value)),
                Value::Object(object) if is_tensor(pickle, object) => return true,
                Value::Object(object) => {
                    open.extend(object.entries.iter().map(|(_, value)| *value));
                    open.push(object.args);
                    open.extend(object.state);
                }
                _ => {}
            }
        }
        false
    }

    fn pay(&mut self, bytes: usize) -> Result<(), StateDictError> {
        let left = self.left.checked_sub(bytes).ok_or_else(|| {
            let expected = format!("names of at most {EXPANSION} times the bytes of the pickle");
            StateDictError::other(self.path, expected, "the same dictionaries again and again")
        })?;
        self.left = left;
        Ok(())
    }

    fn nothing(self) -> StateDictError {
        match self.foreign {
            Some((name, global)) => refusal(self.path, &name, Fault::Foreign(global)),
            None => {
                let found = self.pickle.describe(self.pickle.root());
                let found = format!("{found} without any");
                StateDictError::other(self.path, "a dictionary of tensors", found)
            }
        }
    }
}

/// The entries of the kinds of dictionaries that are known.
fn entries<'p>(pickle: &'p Pickle<'_>, object: &'p Object) -> Option<Children<'p>> {
    let global = pickle.global(object.callable)?;
    match (global.module, global.name) {
        (b"collections", b"OrderedDict") => {
            let pairs =
                pickle.items(object.args).first().map_or(&[][..], |pairs| pickle.items(*pairs));
            Some(Children::Entries(pairs, &object.entries))
        }
        (b"collections", b"defaultdict") => Some(Children::Entries(&[], &object.entries)),
        _ => None,
    }
}

/// Whether an object has what every `torch.nn.Module` has.
fn is_module(pickle: &Pickle<'_>, object: &Object) -> bool {
    let Some(Value::Dict(state)) = object.state.map(|state| pickle.value(state)) else {
        return false;
    };
    let has = |name: &[u8]| state.iter().any(|(key, _)| pickle.text(*key) == Some(name));
    has(b"_parameters") && has(b"_modules")
}

fn refusal(path: &Path, name: &str, fault: Fault) -> StateDictError {
    let (path, name) = (path.to_path_buf(), place(name));
    match fault {
        Fault::Foreign(global) => StateDictError::Foreign { path, name, global },
        Fault::Element(element) => StateDictError::Element { path, name, element },
        Fault::Wrong(expected, found) => {
            StateDictError::damaged(&path, format!("{expected} for {name}"), found)
        }
    }
}

/// A name for messages.
fn place(name: &str) -> String {
    match name {
        "" => "its content".into(),
        name => shown(name.as_bytes()),
    }
}
