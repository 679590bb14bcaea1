//! A place in an object, there or not: the value and the way to it, without an allocation.

use crate::value::{Node, Path, Segment, Value};

/// A field: `'n` is the object's life, `'p` that of the way to the field.
#[derive(Copy, Clone, Debug)]
pub struct Field<'p, 'n> {
    up: Option<(&'p Field<'p, 'n>, Step<'p>)>,
    node: Option<&'n Node>,
}

#[derive(Copy, Clone, Debug)]
enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

impl<'p, 'n> Field<'p, 'n> {
    /// The object itself.
    pub fn root(node: &'n Node) -> Self {
        Self { up: None, node: Some(node) }
    }

    /// The member `key`; `null` is not there.
    pub fn key<'q>(&'q self, key: &'q str) -> Field<'q, 'n>
    where
        'p: 'q,
    {
        let node = self.node.and_then(|node| node.get(key)).filter(|node| node.value != Value::Null);
        Field { up: Some((self, Step::Key(key))), node }
    }

    /// The member `key`, whose value is known: `null` is there.
    pub fn member<'q>(&'q self, key: &'q str, node: &'n Node) -> Field<'q, 'n>
    where
        'p: 'q,
    {
        Field { up: Some((self, Step::Key(key))), node: Some(node) }
    }

    /// The member `key` as a server names it, where the value stands at another place.
    pub fn alias<'q>(&'q self, key: &'q str, value: Field<'_, 'n>) -> Field<'q, 'n>
    where
        'p: 'q,
    {
        Field { up: Some((self, Step::Key(key))), node: value.node }
    }

    /// The item `index`.
    pub fn index<'q>(&'q self, index: usize) -> Field<'q, 'n>
    where
        'p: 'q,
    {
        let node = self.node.and_then(Node::as_list).and_then(|items| items.get(index));
        Field { up: Some((self, Step::Index(index))), node }
    }

    /// The items of a list; none where there is no list.
    pub fn items<'q>(&'q self) -> impl Iterator<Item = Field<'q, 'n>>
    where
        'p: 'q,
    {
        let count = self.node.and_then(Node::as_list).map_or(0, <[Node]>::len);
        (0..count).map(|index| self.index(index))
    }

    /// The members of a map; none where there is no map.
    pub fn members<'q>(&'q self) -> impl Iterator<Item = (&'n str, Field<'q, 'n>)>
    where
        'p: 'q,
        'n: 'q,
    {
        let map = self.node.and_then(Node::as_map);
        map.into_iter()
            .flatten()
            .map(|(key, entry)| (&**key, Field { up: Some((self, Step::Key(key))), node: Some(&entry.node) }))
    }

    /// The value, where it is there.
    pub fn node(&self) -> Option<&'n Node> {
        self.node
    }

    /// Whether it is there.
    pub fn is_set(&self) -> bool {
        self.node.is_some()
    }

    /// The text; empty where there is none, as Go reads it.
    pub fn text(&self) -> &'n str {
        self.node.and_then(Node::as_str).unwrap_or_default()
    }

    /// The integer, where it is one.
    pub fn int(&self) -> Option<i64> {
        self.node.and_then(Node::as_int)
    }

    /// The boolean, where it is one.
    pub fn truth(&self) -> Option<bool> {
        self.node.and_then(Node::as_bool)
    }

    /// How many items or members it has.
    pub fn count(&self) -> usize {
        match self.node.map(|node| &node.value) {
            Some(Value::List(items)) => items.len(),
            Some(Value::Map(map)) => map.len(),
            _ => 0,
        }
    }

    /// The way to it.
    pub fn path(&self) -> Path {
        let mut steps = Vec::new();
        let mut at = *self;
        while let Some((up, step)) = at.up {
            steps.push(match step {
                Step::Key(key) => Segment::Key(key.into()),
                Step::Index(index) => Segment::Index(index),
            });
            at = *up;
        }
        steps.reverse();
        Path::from(steps)
    }
}
