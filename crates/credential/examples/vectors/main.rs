//! Writes the test vectors that Rust, TypeScript and Solidity share: `cargo run -p kopilka-credential --example vectors`.

mod generate;

fn main() -> std::io::Result<()> {
    let crate_folder =
        std::env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| std::io::Error::other("run it by cargo"))?;
    let path = std::path::Path::new(&crate_folder).join(generate::PATH);
    std::fs::write(&path, generate::vectors())?;
    println!("wrote {}", path.display());
    Ok(())
}
