import { deepStrictEqual } from "node:assert";
import { checkCrates, checkUnsafe, usesOf } from "./crates.ts";

Deno.test("modules of a crate that use each other are a cycle", () => {
  const tree = new Map([
    ["bindings-rs/src/lib.rs", "//! Names all.\nmod loader;\nmod plan;\n"],
    ["bindings-rs/src/loader.rs", "//! A.\nuse crate::plan::Counters;\n"],
    ["bindings-rs/src/plan.rs", "//! B.\nuse crate::{failure::Code, loader::Probe};\n"],
    ["bindings-rs/src/failure.rs", "//! C.\n"],
  ]);
  deepStrictEqual(checkCrates(tree).map(({ path, message }) => `${path} ${message}`), [
    "bindings-rs/src/plan.rs closes an import cycle: bindings-rs/src/loader.rs → " +
    "bindings-rs/src/plan.rs → bindings-rs/src/loader.rs",
  ]);
});

Deno.test("groups, super and paths in code name modules; tests and comments do not count", () => {
  const tree = new Map([
    [
      "probe-rs/src/open.rs",
      [
        "//! use crate::comment::X;",
        "use crate::{file::{file_of}, kernel::Kernel};",
        "fn f() { crate::path::start(); }",
        "#[cfg(test)]",
        "mod tests {",
        "    use crate::exec::E;",
        "}",
      ].join("\n"),
    ],
    ["probe-rs/src/snapshot/scan.rs", "use super::block::Block;"],
    ...["comment", "file", "kernel", "path", "exec", "snapshot/block"].map((name) =>
      [`probe-rs/src/${name}.rs`, "//! It."] as const
    ),
  ]);
  deepStrictEqual(usesOf(tree, "probe-rs").map(({ from, to, line }) => `${from}:${line} ${to}`), [
    "probe-rs/src/open.rs:2 probe-rs/src/file.rs",
    "probe-rs/src/open.rs:2 probe-rs/src/kernel.rs",
    "probe-rs/src/open.rs:3 probe-rs/src/path.rs",
    "probe-rs/src/snapshot/scan.rs:1 probe-rs/src/snapshot/block.rs",
  ]);
});

Deno.test("an unsafe block of the probe needs its reason above it", () => {
  const tree = new Map([
    ["ebpf-rs/src/a.rs", "fn a() {\n    // SAFETY: so.\n    unsafe { b() };\n}\n"],
    ["ebpf-rs/src/b.rs", "fn a() {\n    unsafe { b() };\n}\n"],
    ["bindings-rs/src/c.rs", "fn a() {\n    unsafe { b() };\n}\n"],
  ]);
  deepStrictEqual(checkUnsafe(tree).map(({ path, line }) => `${path}:${line}`), [
    "ebpf-rs/src/b.rs:2",
  ]);
});
