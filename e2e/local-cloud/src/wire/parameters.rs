//! Parameters of a request as a tree, whichever protocol they came by, and typed requests read from it.
//!
//! `Filter.1.Value.2=x` (EC2) and `Filters.member.1.Values.member.2=x` (the other query services) and nested JSON all
//! become the same tree. What a request's type does not name is an error of its own kind: the wire answers it 501.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapDeserializer;
use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use url::form_urlencoded;

/// A tree of parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parameters {
    /// A value, as text.
    Leaf(String),
    /// A structure, or a list by numbers.
    Node(BTreeMap<String, Self>),
}

/// Why parameters are not a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParameterError {
    /// The model does not implement it.
    #[error("the parameter {0} is not known here")]
    Unknown(String),
    /// It is not what the action wants.
    #[error("{0}")]
    Invalid(String),
}

impl de::Error for ParameterError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Invalid(message.to_string())
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::Unknown(field.to_owned())
    }

    fn unknown_variant(variant: &str, _: &'static [&'static str]) -> Self {
        Self::Unknown(format!("value '{variant}'"))
    }
}

impl Parameters {
    /// The action and the parameters of a query request's body.
    pub(crate) fn of_query(body: &[u8]) -> (Option<String>, Self) {
        let mut action = None;
        let mut root = Self::Node(BTreeMap::new());
        for (key, value) in form_urlencoded::parse(body) {
            match &*key {
                "Action" => action = Some(value.into_owned()),
                "Version" => {}
                key => root.insert(key, value.into_owned()),
            }
        }
        (action, root)
    }

    /// The parameters of a JSON request's body; none if it is not JSON.
    pub(crate) fn of_json(body: &[u8]) -> Option<Self> {
        fn tree(value: serde_json::Value) -> Option<Parameters> {
            use serde_json::Value;
            Some(match value {
                Value::Null => return None,
                Value::Bool(value) => Parameters::Leaf(value.to_string()),
                Value::Number(value) => Parameters::Leaf(value.to_string()),
                Value::String(value) => Parameters::Leaf(value),
                Value::Array(items) => Parameters::Node(
                    (1..)
                        .zip(items)
                        .filter_map(|(at, item): (usize, _)| Some((at.to_string(), tree(item)?)))
                        .collect(),
                ),
                Value::Object(fields) => Parameters::Node(
                    fields.into_iter().filter_map(|(key, value)| Some((key, tree(value)?))).collect(),
                ),
            })
        }
        tree(serde_json::from_slice(body).ok()?)
    }

    /// The request these are the parameters of.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, ParameterError> {
        T::deserialize(self)
    }

    fn insert(&mut self, path: &str, value: String) {
        let mut at = self;
        for part in path.split('.') {
            // `A=` and `A.1=x` together: the structure wins, as an empty list is written `A=`.
            if let Self::Leaf(_) = at {
                *at = Self::Node(BTreeMap::new());
            }
            let Self::Node(children) = at else { return };
            at = children.entry(part.to_owned()).or_insert_with(|| Self::Leaf(String::new()));
        }
        *at = Self::Leaf(value);
    }

    /// The items of a list, by their numbers.
    fn items(self) -> Result<Vec<Self>, ParameterError> {
        let mut children = match self {
            Self::Leaf(text) if text.is_empty() => return Ok(Vec::new()),
            Self::Leaf(text) => return Err(ParameterError::Invalid(format!("'{text}' is not a list"))),
            Self::Node(children) => children,
        };
        if children.len() == 1
            && let Some(members) = children.remove("member")
        {
            return members.items();
        }
        let mut items = children
            .into_iter()
            .map(|(key, item)| Ok((key.parse::<u32>().map_err(|_| ParameterError::Unknown(key))?, item)))
            .collect::<Result<Vec<_>, ParameterError>>()?;
        items.sort_by_key(|(at, _)| *at);
        Ok(items.into_iter().map(|(_, item)| item).collect())
    }

    fn text(self) -> Result<String, ParameterError> {
        match self {
            Self::Leaf(text) => Ok(text),
            Self::Node(_) => Err(ParameterError::Invalid("a structure where a value is wanted".to_owned())),
        }
    }
}

impl IntoDeserializer<'_, ParameterError> for Parameters {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($deserialize:ident $visit:ident $type:ty;)+) => {
        $(fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParameterError> {
            let text = self.text()?;
            let value = text
                .parse::<$type>()
                .map_err(|_| ParameterError::Invalid(format!("'{text}' is not a valid {}", stringify!($type))))?;
            visitor.$visit(value)
        })+
    };
}

impl<'de> Deserializer<'de> for Parameters {
    type Error = ParameterError;

    parsed! {
        deserialize_bool visit_bool bool;
        deserialize_i64 visit_i64 i64;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParameterError> {
        match self {
            Self::Leaf(text) => visitor.visit_string(text),
            Self::Node(children) => visitor.visit_map(MapDeserializer::new(children.into_iter())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParameterError> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParameterError> {
        visitor.visit_seq(de::value::SeqDeserializer::new(self.items()?.into_iter()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParameterError> {
        match self {
            // An empty structure is written `A=`.
            Self::Leaf(text) if text.is_empty() => Self::Node(BTreeMap::new()).deserialize_any(visitor),
            Self::Leaf(text) => Err(ParameterError::Invalid(format!("'{text}' is not a structure"))),
            node @ Self::Node(_) => node.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParameterError> {
        visitor.visit_enum(self.text()?.into_deserializer())
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct tuple tuple_struct
        map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::{ParameterError, Parameters};

    #[derive(Debug, PartialEq, Default, Deserialize)]
    #[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
    struct Request {
        name: String,
        count: Option<u32>,
        force: Option<bool>,
        names: Vec<String>,
        filters: Vec<Filter>,
    }

    #[derive(Debug, PartialEq, Default, Deserialize)]
    #[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
    struct Filter {
        name: String,
        values: Vec<String>,
    }

    fn query(text: &str) -> Result<Request, ParameterError> {
        Parameters::of_query(text.as_bytes()).1.read()
    }

    fn wanted() -> Request {
        Request {
            name: "a b".to_owned(),
            count: Some(3),
            force: Some(true),
            names: vec!["x".to_owned(), "y".to_owned()],
            filters: vec![Filter { name: "tag:k".to_owned(), values: vec!["v".to_owned()] }],
        }
    }

    #[test]
    fn every_way_of_writing_the_same_request_reads_the_same() {
        let flat = "Action=A&Version=1&Name=a+b&Count=3&Force=true&Names.1=x&Names.2=y&Filters.1.Name=tag%3Ak&Filters.1.Values.1=v";
        let members = "Action=A&Name=a%20b&Count=3&Force=true&Names.member.2=y&Names.member.1=x\
                       &Filters.member.1.Name=tag:k&Filters.member.1.Values.member.1=v";
        let json = br#"{"Name":"a b","Count":3,"Force":true,"Names":["x","y"],"Filters":[{"Name":"tag:k","Values":["v"]}]}"#;
        assert_eq!(query(flat), Ok(wanted()));
        assert_eq!(query(members), Ok(wanted()));
        assert_eq!(Parameters::of_json(json).map(Parameters::read), Some(Ok(wanted())));
    }

    #[test]
    fn lists_are_in_the_order_of_their_numbers_also_past_nine() {
        let body: Vec<String> = (1..=12).rev().map(|n| format!("Names.member.{n}=n{n}")).collect();
        let names = query(&body.join("&")).map(|request| request.names);
        assert_eq!(names, Ok((1..=12).map(|n| format!("n{n}")).collect()));
    }

    #[test]
    fn an_empty_list_is_written_without_a_value() {
        assert_eq!(
            query("Names=&Filters=").map(|request| request.names.len() + request.filters.len()),
            Ok(0)
        );
    }

    #[test]
    fn what_is_not_named_is_unknown_and_never_dropped() {
        for (body, what) in
            [("Nmae=x", "Nmae"), ("Filters.member.1.Vaules.member.1=x", "Vaules"), ("Names.x=1", "x")]
        {
            assert_eq!(query(body), Err(ParameterError::Unknown(what.to_owned())), "{body}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_invalid() {
        for body in ["Count=three", "Count=-1", "Force=yes", "Names=x", "Filters.member.1=x", "Name.x=1"] {
            assert!(matches!(query(body), Err(ParameterError::Invalid(_))), "{body}");
        }
    }
}
