//! Writes the test vectors that Rust, TypeScript and Solidity share: `cargo run -p kopilka-credential --example vectors`.

mod generate;

fn main() -> std::io::Result<()> {
    std::fs::write(generate::PATH, generate::vectors())?;
    println!("wrote {}", generate::PATH);
    Ok(())
}
