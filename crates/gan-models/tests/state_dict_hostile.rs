//! Pickles that somebody made to do harm. Nothing of them is run; what they make us take is bounded by their
//! length; and none brings the program down.

use std::path::Path;
use std::time::{Duration, Instant};

use gan_models::state_dict::{StateDict, StateDictError};

fn parse(bytes: &[u8]) -> Result<StateDict, StateDictError> {
    StateDict::parse(Path::new("hostile.pt"), bytes)
}

/// A file of before 1.6 with this object in it, a pickle without its end, and one storage "0" of floats.
fn legacy(object: &[u8], storage: &[f32]) -> Vec<u8> {
    let magic = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
    let mut file =
        [magic, &b"\x80\x02M\xe9\x03."[..], b"\x80\x02}.", b"\x80\x02", object, b"."].concat();
    if !storage.is_empty() {
        file.extend([b"\x80\x02]", &text("0")[..], b"a."].concat());
        file.extend((storage.len() as u64).to_le_bytes());
        file.extend(storage.iter().flat_map(|x| x.to_le_bytes()));
    } else {
        file.extend(b"\x80\x02].");
    }
    file
}

fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

fn int(n: i64) -> Vec<u8> {
    [b"\x8a\x08", &n.to_le_bytes()[..]].concat()
}

fn tuple(items: &[Vec<u8>]) -> Vec<u8> {
    [b"(", &items.concat()[..], b"t"].concat()
}

fn dict(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries = entries.iter().map(|(key, value)| [text(key), value.clone()].concat());
    [b"}(", &entries.collect::<Vec<_>>().concat()[..], b"u"].concat()
}

fn call(function: &str, args: &[Vec<u8>]) -> Vec<u8> {
    [b"c", function.as_bytes(), b"\n", &tuple(args), b"R"].concat()
}

fn storage(len: i64) -> Vec<u8> {
    let class = b"ctorch\nFloatStorage\n".to_vec();
    let description =
        tuple(&[text("storage"), class, text("0"), text("cpu"), int(len), b"N".to_vec()]);
    [description, b"Q".to_vec()].concat()
}

fn tensor_of(storage: Vec<u8>, offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    let sizes = |sizes: &[i64]| tuple(&sizes.iter().map(|n| int(*n)).collect::<Vec<_>>());
    let args =
        [storage, int(offset), sizes(shape), sizes(strides), b"\x89".to_vec(), b"N".to_vec()];
    call("torch._utils\n_rebuild_tensor_v2", &args)
}

fn tensor(len: i64, offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    tensor_of(storage(len), offset, shape, strides)
}

/// One tensor of four floats.
fn good() -> Vec<u8> {
    tensor(4, 0, &[2, 2], &[2, 1])
}

const FOUR: [f32; 4] = [1.0, 2.0, 3.0, 4.0];

fn refusal(object: &[u8]) -> String {
    match parse(&legacy(object, &FOUR)) {
        Ok(weights) => panic!("read {:?}", weights.tensors()),
        Err(e) => e.to_string(),
    }
}

#[track_caller]
fn refused(object: &[u8], because: &str) {
    let message = refusal(object);
    assert!(message.contains(because), "{message}");
}

#[test]
fn the_files_of_these_tests_are_read_where_nothing_is_wrong() {
    let weights = parse(&legacy(&dict(&[("weight", good())]), &FOUR)).expect("a tensor");
    let values = weights.get("weight").and_then(|t| t.to_vec2::<f32>().ok());
    assert_eq!(values, Some(vec![vec![1.0, 2.0], vec![3.0, 4.0]]));
}

/// Every way in which a pickle calls something.
#[test]
fn no_call_is_made_but_named() {
    let (echo, system) = (text("echo"), b"cos\nsystem\n".to_vec());
    let args = tuple(std::slice::from_ref(&echo));
    let calls = [
        call("os\nsystem", std::slice::from_ref(&echo)),
        [&text("os")[..], &text("system"), b"\x93", &args, b"R"].concat(), // STACK_GLOBAL
        [&system[..], &args, b"\x81"].concat(),                            // NEWOBJ
        [&system[..], &args, b"}\x92"].concat(),                           // NEWOBJ_EX
        [b"(", &echo[..], b"ios\nsystem\n"].concat(),                      // INST
        [b"(", &system[..], &echo, b"o"].concat(),                         // OBJ
        [&system[..], &args, b"\x81}b"].concat(), // with attributes by BUILD
        [&system[..], &args, b"R", &tuple(&[]), b"R"].concat(), // what it makes is called
    ];
    for call in calls {
        refused(&call, "its content is made by os.system");
        refused(&dict(&[("a", call.clone())]), "a is made by os.system");
        let place = tensor_of(call.clone(), 0, &[1], &[1]);
        refused(&dict(&[("weight", place)]), "weight is made by os.system");
        let beside = legacy(&dict(&[("weight", good()), ("options", call)]), &FOUR);
        assert_eq!(parse(&beside).expect("a tensor").tensors().len(), 1);
    }
    refused(&system, "found os.system");
}

#[test]
fn what_a_tensor_is_made_of_must_be_what_it_is() {
    let shape = || tuple(&[int(1)]);
    let rebuild = |args: &[Vec<u8>]| {
        refusal(&dict(&[("weight", call("torch._utils\n_rebuild_tensor_v2", args))]))
    };
    let exec = call("builtins\nexec", &[]);
    for place in 0..4 {
        let mut args = [storage(4), int(0), shape(), shape()];
        args[place] = exec.clone();
        let message = rebuild(&args);
        assert!(message.contains("weight is made by builtins.exec"), "{message}");
        args[place] = b"N".to_vec();
        let message = rebuild(&args);
        assert!(message.contains("for weight, found None"), "{message}");
    }
    assert!(rebuild(&[]).contains("0 of them"));
    let parameter = |of| dict(&[("p", call("torch._utils\n_rebuild_parameter", &[of]))]);
    refused(&parameter(exec.clone()), "p is made by builtins.exec");
    refused(&parameter(int(1)), "expected a tensor for p, found 1");
    let class = |class: &str| {
        let function = b"ctorch._utils\n_rebuild_tensor_v2\n".to_vec();
        let args = tuple(&[storage(4), int(0), shape(), shape()]);
        let class = [b"c", class.as_bytes(), b"\n"].concat();
        dict(&[(
            "t",
            call("torch._tensor\n_rebuild_from_type_v2", &[function, class, args, b"N".to_vec()]),
        )])
    };
    assert!(parse(&legacy(&class("torch\nTensor"), &FOUR)).is_ok());
    refused(&class("mine\nQuantized"), "t is made by mine.Quantized");
    let kinds = [("os\nFloatStorage", "os.FloatStorage"), ("torch\nMyStorage", "MyStorage")];
    for (class, shown) in kinds {
        let class = [b"c", class.as_bytes(), b"\n"].concat();
        let description = tuple(&[text("storage"), class, text("0"), text("cpu"), int(4)]);
        let storage = [&description[..], b"Q"].concat();
        refused(&dict(&[("w", tensor_of(storage, 0, &[1], &[1]))]), shown);
    }
}

#[test]
fn tensors_of_other_kinds_are_not_passed_over() {
    let sparse = call("torch._utils\n_rebuild_sparse_tensor", &[good()]);
    let beside = dict(&[("weight", good()), ("adjacency", sparse)]);
    refused(&beside, "adjacency is made by torch._utils._rebuild_sparse_tensor");
}

/// The first type that a file has for a storage says how many bytes follow.
#[test]
fn one_storage_of_two_types() {
    let class = b"ctorch.storage\nUntypedStorage\n".to_vec();
    let raw = tuple(&[text("storage"), class, text("0"), text("cpu"), int(16)]);
    let object = dict(&[("raw", [&raw[..], b"Q"].concat()), ("weight", good())]);
    let mut file = legacy(&object, &FOUR);
    let len = file.len() - 16 - 8;
    file[len..len + 8].copy_from_slice(&16u64.to_le_bytes());
    assert_eq!(parse(&file).expect("a tensor").tensors().len(), 1);
}

/// Parameters that older releases made by their class.
#[test]
fn parameters_made_by_their_class_are_tensors() {
    let parameter = call("torch.nn.parameter\nParameter", &[good(), b"\x88".to_vec()]);
    let weights = parse(&legacy(&dict(&[("p", parameter)]), &FOUR)).expect("a tensor");
    assert_eq!(weights.get("p").map(|t| t.dims().to_vec()), Some(vec![2, 2]));
}

#[test]
fn views_lie_within_their_storage() {
    const MAX: i64 = i64::MAX;
    let cases: [(i64, i64, &[i64], &[i64]); 17] = [
        (4, 0, &[5], &[1]),
        (4, 1, &[4], &[1]),
        (4, 4, &[1], &[1]),
        (4, 0, &[2, 2], &[3, 1]),
        (4, MAX, &[1], &[1]),
        (4, 0, &[2], &[MAX]),
        (4, 0, &[MAX], &[1]),
        (4, 0, &[1 << 32, 1 << 32], &[0, 0]),
        (4, 0, &[1 << 62, 4, 0], &[1, 1, 1]),
        (4, 0, &[0, 1 << 62, 1 << 62], &[1, 1, 1]),
        (4, 0, &[-1], &[1]),
        (4, 0, &[2], &[-1]),
        (4, -1, &[1], &[1]),
        (-1, 0, &[1], &[1]),
        (5, 0, &[1], &[1]),
        (MAX, 0, &[1], &[1]),
        (4, 0, &[1, 1], &[1]),
    ];
    for (len, offset, shape, strides) in cases {
        let message = refusal(&dict(&[("weight", tensor(len, offset, shape, strides))]));
        assert!(message.contains("for weight"), "{message}");
    }
    let many = [1; 65];
    refused(&dict(&[("weight", tensor(4, 0, &many, &many))]), "at most 64 dimensions");
    // A stride that is never taken says nothing.
    let unused = tensor(4, 3, &[1, 1], &[MAX, MAX]);
    assert!(parse(&legacy(&dict(&[("weight", unused)]), &FOUR)).is_ok());
}

/// A stride of 0 makes many elements of one.
#[test]
fn expanded_tensors_are_bounded() {
    let big = |n| tensor(4, 0, &[n], &[0]);
    refused(&dict(&[("weight", big(1 << 60))]), "a shape that fits memory");
    refused(&dict(&[("weight", big(1 << 40))]), "tensors of at most 4 times the bytes of the file");
    let names: Vec<_> = (0..40).map(|i| format!("{i}")).collect();
    let tensors: Vec<_> =
        names.iter().zip(0..).map(|(n, i)| (n.as_str(), big((1 << 20) + i))).collect();
    refused(&dict(&tensors), "tensors of at most 4 times the bytes of the file");
    assert!(parse(&legacy(&dict(&tensors[..3]), &FOUR)).is_ok());
}

#[test]
fn lengths_are_not_believed() {
    let cases: [&[u8]; 8] = [
        b"X\xff\xff\xff\xff",
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x8e\0\0\0\0\0\0\0\x10",
        b"\x96\0\0\0\0\0\0\0\x80",
        b"\x8b\xff\xff\xff\x7f",
        b"B\xff\xff\xff\xff",
        b"T\xff\xff\xff\xff",
        b"cos",
    ];
    for pickle in cases {
        refused(pickle, "found the end of the file");
    }
    let mut file = legacy(&dict(&[("weight", good())]), &FOUR);
    let len = file.len() - 16 - 8;
    for long in [5, 1 << 40, 1 << 62, u64::MAX] {
        file[len..len + 8].copy_from_slice(&long.to_le_bytes());
        let e = parse(&file).expect_err("a long storage");
        assert!(e.to_string().contains("expected all of storage 0"), "{e}");
    }
}

/// In a thread that has not the stack to go a hundred thousand calls deep, neither to read nor to drop.
#[test]
fn deep_nesting_needs_no_stack() {
    const DEPTH: usize = 100_000;
    let around = |open: &[u8], inner: &[u8], close: &[u8]| {
        [&open.repeat(DEPTH)[..], inner, &close.repeat(DEPTH)].concat()
    };
    let deep = [
        (around(b"]", &good(), b"a"), "at most 64"),
        (around(b"", &good(), b"\x85"), "at most 64"),
        (around(&[b"}", &text("k")[..]].concat(), &good(), b"s"), "at most 64"),
        (around(b"ccollections\nOrderedDict\n]", &good(), b"a\x85R"), "a dictionary of tensors"),
        (around(b"cos\nsystem\n", b"N", b"\x85R"), "os.system"),
        (around(b"", b"cos\nsystem\n", b")R"), "what is no function"),
        (around(b"", b"cos\nsystem\n)R", b"Q"), "a storage"),
        (around(b"ctorch._utils\n_rebuild_parameter\n", &good(), b"\x85R"), "again and again"),
        (around(b"(", b"N", b"t"), "at most 64"),
    ];
    let read = move || {
        for (pickle, because) in deep {
            refused(&pickle, because);
            // The same beside a tensor, where it is passed over or found out.
            parse(&legacy(&dict(&[("weight", good()), ("deep", pickle)]), &FOUR)).ok();
        }
    };
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(read);
    thread.expect("a thread").join().expect("no overflow");
}

#[test]
fn values_that_hold_themselves() {
    refused(b"]q\0h\0a", "or one in itself");
    refused(&[b"}q\0", &text("a")[..], b"h\0s"].concat(), "or one in itself");
    // A parameter of itself: its arguments are a list that it is put into.
    let parameter = b"]q\x000ctorch._utils\n_rebuild_parameter\nh\0Rq\x01h\0h\x01a0";
    refused(&[b"}", &text("p")[..], parameter, b"s"].concat(), "again and again");
    // A module whose attributes are itself, and which has a tensor.
    let state = [b"}q\x05(", &text("_modules")[..], b"h\x05", &text("_parameters")].concat();
    let module = |with: &[u8]| [b"cmine\nNet\n)\x81", &state[..], with, b"ub"].concat();
    refused(&module(b"N"), "its content is a whole module (mine.Net)");
    refused(&dict(&[("net", module(&good()))]), "net is a whole module (mine.Net)");
    let without = legacy(&dict(&[("net", module(b"N")), ("weight", good())]), &FOUR);
    assert_eq!(parse(&without).expect("a tensor").tensors().len(), 1);
}

/// The same dictionaries again and again: 2⁶⁰ names in a file of two kilobytes.
#[test]
fn names_are_bounded() {
    let bounded = "names of at most 16 times the bytes of the pickle";
    for leaf in [&dict(&[("weight", good())])[..], b"]", b"}"] {
        let mut pickle = [leaf, b"q\0"].concat();
        for level in 1..60 {
            let key = |key, of| [&text(key)[..], &[b'h', of]].concat();
            let entries = [key("a", level - 1), key("b", level - 1)].concat();
            pickle.extend([b"}(", &entries[..], b"u", &[b'q', level]].concat());
        }
        let start = Instant::now();
        refused(&pickle, bounded);
        assert!(start.elapsed() < Duration::from_secs(20));
    }
    // A long key before many short ones.
    let tensors = format!("{}h\x01", "h\x01".repeat(20_000)).into_bytes();
    let pickle =
        [b"}", &text(&"k".repeat(100_000))[..], b"(", &good(), b"q\x01", &tensors, b"ls"].concat();
    refused(&pickle, bounded);
    // A tensor without end in lists of lists.
    let mut pickle = [&good()[..], b"q\x01"].concat();
    for level in 1..8 {
        pickle.extend([b"(", &[b'h', level].repeat(50)[..], b"l", &[b'q', level + 1]].concat());
    }
    refused(&pickle, bounded);
}

/// What takes time or memory is paid for, also where it gives no names.
#[test]
fn the_same_values_again_and_again() {
    let bounded = "names of at most 16 times the bytes of the pickle";
    const MANY: usize = 100_000;
    let wide = [b"(", &b"N".repeat(MANY)[..], b"lq\x01"].concat();
    let often = [b"(", &wide[..], &b"h\x01".repeat(MANY), b"l"].concat();
    let start = Instant::now();
    refused(&often, bounded);
    assert!(start.elapsed() < Duration::from_secs(20));
    let ones = [1; 64];
    let tensor = [&tensor(4, 0, &ones, &ones)[..], b"q\x01"].concat();
    refused(&[b"(", &tensor[..], &b"h\x01".repeat(MANY), b"l"].concat(), bounded);
}

#[test]
fn pickles_of_too_many_opcodes_end() {
    refused(&[b'N'; (1 << 22) + 1], "at most 4194304 opcodes");
    refused(&b"N0".repeat((1 << 21) - 5), "at most 4194304 opcodes"); // with those of the other pickles
    refused(&b"]0".repeat((1 << 21) + 1), "at most 4194304 opcodes");
}

#[test]
fn one_tensor_of_a_name() {
    let twice = dict(&[("a.b", good()), ("a", dict(&[("b", good())]))]);
    refused(&twice, "two of a.b");
    refused(&dict(&[("a", good()), ("a", good())]), "two of a");
    let unwrapped = dict(&[("net", dict(&[("module.w", good())])), ("net.w", good())]);
    refused(&unwrapped, "two of net.w");
}

#[test]
fn module_is_taken_from_names_that_all_have_it() {
    let names = |object: &[u8]| {
        let weights = parse(&legacy(object, &FOUR)).expect("tensors");
        weights.tensors().iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    let step = ("step", int(3));
    assert_eq!(names(&dict(&[("module.a", good()), step, ("module.b", good())])), ["a", "b"]);
    assert_eq!(names(&dict(&[("module.a", good()), ("b", good())])), ["module.a", "b"]);
    assert_eq!(names(&dict(&[("b", good()), ("module.a", good())])), ["b", "module.a"]);
    assert_eq!(names(&dict(&[("module.module.a", good())])), ["module.a"]);
    let inner = ("module.net", dict(&[("module.a", good())]));
    assert_eq!(names(&dict(std::slice::from_ref(&inner))), ["module.net.a"]);
    assert_eq!(names(&dict(&[inner, ("module.b", good())])), ["net.a", "b"]);
    let default =
        [b"ccollections\ndefaultdict\ncbuiltins\ndict\n\x85R", &text("a")[..], &good(), b"s"];
    assert_eq!(names(&default.concat()), ["a"]);
}

#[test]
fn keys_of_any_kind() {
    let entries = [b"K\x07", &good()[..], b"N", &good(), b"X\x01\0\0\0\xff", &good()].concat();
    let weights = parse(&legacy(&[b"}(", &entries[..], b"u"].concat(), &FOUR)).expect("tensors");
    let names: Vec<_> = weights.tensors().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["7", "\u{fffd}"]);
    let long = "k".repeat(1000);
    let class = b"ctorch\nFloatStorage\n".to_vec();
    let storage = tuple(&[text("storage"), class, text(&long), text("cpu"), int(4)]);
    let storage = [&storage[..], b"Q"].concat();
    let message = refusal(&dict(&[(&long, tensor_of(storage, 0, &[1], &[1]))]));
    assert!(message.contains("the name of a storage") && message.len() < 600, "{message}");
}

/// Messages are one line, whatever a file has in it.
#[test]
fn names_in_messages_are_harmless() {
    let message = refusal(b"c\x1b[31mos\r\nsystem\x07\n)R");
    assert!(!message.contains(char::is_control), "{message}");
}
