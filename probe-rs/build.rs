fn main() {
    println!("cargo:rerun-if-changed=events.json");
}
