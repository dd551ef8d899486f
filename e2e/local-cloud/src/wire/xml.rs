//! Answers as XML: objects are elements, lists are elements of items, what is null is left out.

use serde_json::Value;

/// Appends `value` as the content of an element; the items of lists are called `item`.
pub(super) fn write(out: &mut String, value: &Value, item: &str) {
    match value {
        Value::Null => {}
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(value) => out.push_str(&value.to_string()),
        Value::String(text) => escape(out, text),
        Value::Array(items) => items.iter().for_each(|value| element(out, item, value, item)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| element(out, name, value, item)),
    }
}

fn element(out: &mut String, name: &str, value: &Value, item: &str) {
    if value.is_null() {
        return;
    }
    out.push('<');
    out.push_str(name);
    out.push('>');
    write(out, value, item);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Appends `text` so that a reader gets it back, white space included.
pub(super) fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            // XML 1.0 cannot hold other control characters in any way.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn trees_become_elements_and_nulls_nothing() {
        let mut out = String::new();
        let value = json!({"A": [{"B": 1, "C": null}, {"B": true}], "D": "<&>\"\r\u{1}", "E": []});
        super::write(&mut out, &value, "member");
        assert_eq!(
            out,
            "<A><member><B>1</B></member><member><B>true</B></member></A><D>&lt;&amp;&gt;&quot;&#13;\u{fffd}</D><E></E>"
        );
    }
}
