//! Components to read contracts from: real ones, encoded from WIT around a module that only traps.
//! Needs no compiler for wasm.

use std::path::{Path, PathBuf};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve, UnresolvedPackageGroup};
use wit_parser::{WasmExport, WasmExportKind, WorldId, WorldItem};

const LEGACY: ManglingAndAbi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);

/// A component that exports the world `w` of a WIT text.
#[expect(clippy::unwrap_used, reason = "a test's own WIT is valid")]
pub fn component(wit: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("test.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some("w")).unwrap();
    encode(&resolve, world)
}

/// A component that exports the world of one of the repository's own packages, such as `chat`.
#[expect(clippy::unwrap_used, reason = "the repository's WIT is valid")]
pub fn of_repository(package: &str) -> Vec<u8> {
    let root = wit_folder();
    let parse =
        |name: &str| UnresolvedPackageGroup::parse_dir(root.join(name).join("v0.1")).unwrap();
    let mut resolve = Resolve::default();
    let others = vec![parse("database"), parse("types")];
    let id = resolve.push_groups(parse(package), others).unwrap();
    let world = resolve.select_world(&[id], Some(package)).unwrap();
    encode(&resolve, world)
}

/// The repository's contracts.
pub fn wit_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "ids of one arena; tests' WIT")]
fn encode(resolve: &Resolve, world: WorldId) -> Vec<u8> {
    let mut text = String::from(
        "(module (memory (export \"memory\") 1)
         (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) unreachable)\n",
    );
    for (key, item) in &resolve.worlds[world].exports {
        let WorldItem::Interface { id, .. } = item else { continue };
        for func in resolve.interfaces[*id].functions.values() {
            let (interface, kind) = (Some(key), WasmExportKind::Normal);
            let export = WasmExport::Func { interface, func, kind };
            let name = resolve.wasm_export_name(LEGACY, export);
            let signature = resolve.wasm_signature(AbiVariant::GuestExport, func);
            let params = types("param", &signature.params);
            let results = types("result", &signature.results);
            text += &format!("(func (export \"{name}\") {params} {results} unreachable)\n");
        }
    }
    let mut module = wat::parse_str(text + ")").unwrap();
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
}

fn types(word: &str, types: &[WasmType]) -> String {
    let one = |ty: &WasmType| match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
    };
    let list: Vec<String> = types.iter().map(|ty| format!("({word} {})", one(ty))).collect();
    list.join(" ")
}
