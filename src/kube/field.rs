//! A place in an object, there or not: the value and the way to it, without an allocation.

use crate::value::{Node, Path, Segment, Value};

/// A field: `'n` is the object's life, `'p` that of the way to the field.
#[derive(Copy, Clone, Debug)]
pub struct Field<'p, 'n> {
    up: Option<(&'p Field<'p, 'n>, Step<'p>)>,
    node: Option<&'n Node>,
    /// The field itself, where this is a name that the server has for it.
    own: Option<&'p Field<'p, 'n>>,
}

#[derive(Copy, Clone, Debug)]
enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

impl<'p, 'n> Field<'p, 'n> {
    /// The object itself.
    pub fn root(node: &'n Node) -> Self {
        Self { up: None, node: Some(node), own: None }
    }

    /// The member `key`; `null` is not there.
    pub fn key<'q>(&'q self, key: &'q str) -> Field<'q, 'n>
    where
        'p: 'q,
    {
        let node = self.node.and_then(|node| node.get(key)).filter(|node| node.value != Value::Null);
        Field { up: Some((self, Step::Key(key))), node, own: None }
    }

    /// The member `key`, whose value is known: `null` is there.
    pub fn member<'q>(&'q self, key: &'q str, node: &'n Node) -> Field<'q, 'n>
    where
        'p: 'q,
    {
        Field { up: Some((self, Step::Key(key))), node: Some(node), own: None }
    }

    /// `own`, under the name that a server has for it: the member `key` of this.
    pub fn alias<'q>(&'q self, key: &'q str, own: &'q Field<'_, 'n>) -> Field<'q, 'n>
    where
        'p: 'q,
    {
        Field { up: Some((self, Step::Key(key))), node: own.node, own: Some(own) }
    }

    /// The item `index`.
    pub fn index<'q>(&'q self, index: usize) -> Field<'q, 'n>
    where
        'p: 'q,
    {
        let node = self.node.and_then(Node::as_list).and_then(|items| items.get(index));
        Field { up: Some((self, Step::Index(index))), node, own: None }
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
        map.into_iter().flatten().map(|(key, entry)| {
            (&**key, Field { up: Some((self, Step::Key(key))), node: Some(&entry.node), own: None })
        })
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
        self.steps(|field| field.own)
    }

    /// The way by which a server names it, where that is another one.
    pub fn told(&self) -> Option<Path> {
        let mut at = Some(self);
        while let Some(field) = at {
            if field.own.is_some() {
                return Some(self.steps(|_| None));
            }
            at = field.up.map(|(up, _)| up);
        }
        None
    }

    fn steps(&self, own: fn(&Self) -> Option<&'p Self>) -> Path {
        let mut steps = Vec::new();
        let mut at = *self;
        loop {
            while let Some(field) = own(&at) {
                at = *field;
            }
            let Some((up, step)) = at.up else { break };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;
    use crate::yaml::{self, Options};

    #[test]
    fn a_field_has_its_own_path_and_the_servers_name() {
        let text = "{template: {metadata: {labels: {a: b}}}}";
        let file = Sources::default().add("object.yaml", text.to_owned());
        let node = yaml::read(file, text, Options::default()).expect("YAML");
        let root = Field::root(&node);
        let (template, none) = (root.key("template"), root.key("none"));
        let metadata = template.key("metadata");
        let labels = metadata.key("labels");
        let alias = template.alias("labels", &labels);
        let label = alias.key("a");
        assert_eq!((label.text(), label.path().to_string()), ("b", "template.metadata.labels.a".to_owned()));
        assert_eq!(label.told().map(|path| path.to_string()), Some("template.labels.a".to_owned()));
        assert_eq!((labels.told(), none.index(1).path().to_string()), (None, "none[1]".to_owned()));
    }
}
