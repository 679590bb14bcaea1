//! Values that no template of the chart reads: most are misspelt.
//!
//! Only keys that the chart's own values do not have are looked at, and only where the chart has no schema, which
//! would say more. Whatever is below `global`, names a subchart or steers one, or was handed on as a whole, counts
//! as read.

use super::Task;
use crate::diag::{Diagnostic, Sink, codes, did_you_mean};
use crate::helm::chart::dependencies::Instance as Used;
use crate::helm::release::{Prepared, Rendered};
use crate::helm::value::{ReadKind, Reads, Str};
use crate::helm::values::{Data, Table};
use crate::value::{Origin, Path, Segment};
use std::collections::BTreeMap;
use std::sync::Arc;

struct Seen<'a> {
    task: &'a Task<'a>,
    reads: &'a Reads,
    /// The number of each path that was met.
    numbers: BTreeMap<(u32, Str), u32>,
}

pub(super) fn warn(task: &Task<'_>, user: &Table, prepared: &Prepared, rendered: &Rendered, sink: &mut Sink) {
    let Some(provenance) = &rendered.output.provenance else { return };
    let reads = &provenance.reads;
    let numbers = reads
        .paths
        .iter()
        .enumerate()
        .skip(1)
        .map(|(number, (parent, key))| ((*parent, key.clone()), u32::try_from(number).unwrap_or(u32::MAX)))
        .collect();
    Seen { task, reads, numbers }.chart(user, &prepared.instance, Some(0), &Path::default(), sink);
}

impl Seen<'_> {
    fn number(&self, parent: Option<u32>, key: &Str) -> Option<u32> {
        self.numbers.get(&(parent?, key.clone())).copied()
    }

    fn kind(&self, number: Option<u32>) -> Option<ReadKind> {
        number.and_then(|number| self.reads.kinds.get(number as usize).copied().flatten())
    }

    /// The values of a chart, then of the subcharts in it.
    fn chart(&self, user: &Table, used: &Used, number: Option<u32>, path: &Path, sink: &mut Sink) {
        let listed = used.chart.metadata.dependencies.as_deref().unwrap_or_default();
        let steering: Vec<&str> = listed
            .iter()
            .flat_map(|dependency| dependency.condition.split(','))
            .filter_map(|condition| condition.trim().split('.').next())
            .collect();
        for (key, value) in user.iter() {
            let name = key.to_str_lossy();
            if let Some(child) = used.children.iter().find(|child| child.metadata.name == *name) {
                if let Some(table) = value.as_table() {
                    self.chart(table, child, self.number(number, key), &path.key(&name), sink);
                }
                continue;
            }
            let subchart =
                listed.iter().any(|dependency| dependency.name == *name || dependency.alias == *name)
                    || used.chart.dependencies.iter().any(|chart| chart.metadata.name == *name);
            if subchart
                || matches!(&*name, "global" | "tags")
                || steering.contains(&&*name)
                || used.chart.schema.is_some()
            {
                continue;
            }
            let one: Table = Arc::new([(key.clone(), value.clone())].into_iter().collect());
            self.table(&one, &used.values, number, path, sink);
        }
    }

    fn table(&self, user: &Table, own: &Table, number: Option<u32>, path: &Path, sink: &mut Sink) {
        if self.kind(number) == Some(ReadKind::All) {
            return;
        }
        for (key, value) in user.iter() {
            let inner = self.number(number, key);
            match (own.get(&key[..]).map(|own| &own.data), &value.data) {
                (Some(Data::Table(own)), Data::Table(table)) if !own.is_empty() => {
                    self.table(table, own, inner, &path.key(&key.to_str_lossy()), sink);
                }
                (Some(_), _) => {}
                (None, _) if self.kind(inner).is_some() || value.is_null() => {}
                // Of a part that is switched off nothing is read.
                (None, _) if !path.is_empty() && self.kind(number).is_none() => {}
                (None, _) => self.report(key, value, own, number, path, sink),
            }
        }
    }

    fn report(
        &self,
        key: &Str,
        value: &crate::helm::values::Value,
        own: &Table,
        number: Option<u32>,
        path: &Path,
        sink: &mut Sink,
    ) {
        let name = key.to_str_lossy();
        let full = path.key(&name);
        let read_beside = self
            .numbers
            .iter()
            .filter(|((parent, _), at)| Some(*parent) == number && self.kind(Some(**at)).is_some());
        let known: Vec<String> = own
            .keys()
            .chain(read_beside.map(|((_, key), _)| key))
            .map(|key| key.to_str_lossy().into_owned())
            .filter(|known| *known != *name)
            .collect();
        let chart = &self.task.release.chart.name;
        let written = value.origin.editable();
        // A key that is written beside its value says better what is wrong; one of a stack passes on an overlay's.
        let key = self.task.release.values.key_at(&full).and_then(Origin::editable);
        let key = key.filter(|key| written.is_none_or(|value| value.file == key.file));
        let at = key.or(written).unwrap_or(self.task.instance.span);
        let mut finding = Diagnostic::warning(
            codes::UNREAD_VALUE,
            format!("no template of chart `{chart}` reads the value `{full}`"),
        )
        .at(at, "never read");
        finding = match did_you_mean(&name, known.iter().map(String::as_str)) {
            Some(meant) => {
                let mut path = path.clone();
                path.push(Segment::Key(meant.into()));
                finding.help(format!("did you mean `{path}`?"))
            }
            None => finding.help("take it out, or see the chart's `values.yaml` for what it knows"),
        };
        let _warned = sink.report(finding);
    }
}
