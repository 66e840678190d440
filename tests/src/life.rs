//! Small components, so that one generation can be told from another.

/// What they export.
pub const CONTRACT: &str = "test:life/queries@0.1.0";

/// A component whose functions answer with a digit, apart from `fail`, which traps.
pub fn version(digit: u32) -> Vec<u8> {
    component(CONTRACT, &["answer", "again"], digit)
}

/// The same with other functions, exported as another interface.
pub fn component(interface: &str, functions: &[&str], digit: u32) -> Vec<u8> {
    let answer = "(i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 1)) \
                  (i32.const 0)";
    let body = |function: &str| match function {
        "fail" => "unreachable".to_owned(),
        _ => answer.to_owned(),
    };
    let core = functions
        .iter()
        .map(|name| format!(r#"(func (export "{name}") (result i32) {})"#, body(name)));
    let lifted = functions.iter().map(|name| {
        format!(
            r#"(func ${name} (result string) (canon lift (core func $instance "{name}") (memory $memory)))"#
        )
    });
    let exported = functions.iter().map(|name| format!(r#"(export "{name}" (func ${name}))"#));
    let text = format!(
        r#"(component
            (core module $module
                (memory (export "memory") 1)
                (data (i32.const 16) "{digit}")
                {})
            (core instance $instance (instantiate $module))
            (alias core export $instance "memory" (core memory $memory))
            {}
            (instance $api {})
            (export "{interface}" (instance $api)))"#,
        core.collect::<String>(),
        lifted.collect::<String>(),
        exported.collect::<String>(),
    );
    wat::parse_str(text).expect("text of a component")
}
