//! Chart archives: gzip, tar, and everything that an archive must not contain.
//!
//! Reads as Helm does (4.2.4 `pkg/chart/loader/archive/archive.go`) with its limits: 5 MiB a file, 100 MiB in all.
//! Links and devices become empty files, as in Helm. The tar reader is Go's in what it takes, and bounded: long
//! names over 1 MiB, sizes beyond the limits and streams that never end are refused before they cost memory.

use super::{ChartError, ChartFile};
use crate::helm::gopath;
use flate2::bufread::MultiGzDecoder;
use std::io::{ErrorKind, Read};
use std::sync::Arc;

/// The most that one chart may unpack to.
pub const MAX_CHART_SIZE: u64 = 100 * 1024 * 1024;
/// The most that one file of a chart may hold.
pub const MAX_FILE_SIZE: u64 = 5 * 1024 * 1024;
/// What headers may add to the stream, in bytes: 200,000 entries.
const MAX_HEADER_BYTES: u64 = 200 * 1024 * 1024;
/// The longest extended header or long name (Go 1.26 `archive/tar`).
const MAX_SPECIAL_SIZE: u64 = 1024 * 1024;
const BLOCK: usize = 512;

/// How many entries a chart's archive or folder may have.
pub const MAX_FILES: usize = 50_000;

/// The byte order mark that editors of another system leave behind.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// How much all nested archives of a chart may still unpack to together.
#[derive(Debug)]
pub struct Budget {
    left: u64,
    charts: usize,
    values: u64,
}

/// How many charts may lie in a chart, at any depth.
const MAX_CHARTS: usize = 5_000;
/// How many values all charts of a chart may bring together, each table counted as 8.
const MAX_VALUES: u64 = 1_000_000;

impl Budget {
    /// Accounts for one more chart.
    pub fn take_chart(&mut self) -> Result<(), ChartError> {
        self.charts = self.charts.checked_sub(1).ok_or(ChartError::TooManyCharts)?;
        Ok(())
    }

    /// Accounts for the values that a chart brings.
    pub fn take_values(&mut self, count: u64) -> Result<(), ChartError> {
        self.values = self.values.checked_sub(count).ok_or(ChartError::TooManyValues)?;
        Ok(())
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: 2 * MAX_CHART_SIZE, charts: MAX_CHARTS, values: MAX_VALUES }
    }
}

/// The files of a packed chart, in archive order, names without the chart's folder.
pub fn read(packed: &[u8], budget: &mut Budget) -> Result<Vec<ChartFile>, ChartError> {
    let mut tar = Tar::new(MultiGzDecoder::new(packed));
    let mut files = Vec::new();
    let mut remaining = MAX_CHART_SIZE.min(budget.left);
    let mut entries = 0;
    while let Some(entry) = tar.next()? {
        entries += 1;
        if entries > MAX_FILES {
            return Err(ChartError::TooManyFiles);
        }
        if entry.is_folder() || entry.kind == b'g' {
            tar.skip(entry.stored)?;
            continue;
        }
        let name = entry_name(&entry.name)?;
        if entry.size > remaining {
            return Err(ChartError::ArchiveTooLarge);
        }
        if entry.size > MAX_FILE_SIZE {
            return Err(ChartError::ArchivedFileTooLarge(entry.name));
        }
        let data = tar.shared(entry.stored)?;
        remaining -= entry.stored;
        // A link that claims a size, and the very last byte of the allowance, are refused by Helm as well.
        if entry.stored < entry.size || remaining == 0 {
            return Err(ChartError::ArchiveTooLarge);
        }
        budget.left = budget.left.saturating_sub(entry.stored);
        files.push(ChartFile { name: name.into(), data: shared_without_bom(data) });
    }
    if files.is_empty() {
        return Err(ChartError::EmptyArchive);
    }
    Ok(files)
}

/// The bytes without a byte order mark.
pub fn without_bom(mut data: Vec<u8>) -> Vec<u8> {
    if data.starts_with(BOM) {
        data.drain(..BOM.len());
    }
    data
}

fn shared_without_bom(data: Arc<[u8]>) -> Arc<[u8]> {
    data.strip_prefix(BOM).map(Arc::from).unwrap_or(data)
}

/// The name inside the chart: the first folder taken off, checked for every way out of it.
fn entry_name(name: &str) -> Result<String, ChartError> {
    let delimiter = if name.contains('\\') { '\\' } else { '/' };
    let mut parts = name.split(delimiter);
    let first = parts.next().unwrap_or_default();
    let inner = parts.collect::<Vec<_>>().join("/");
    if inner.starts_with('/') {
        return Err(ChartError::AbsolutePath);
    }
    let inner = gopath::clean(&inner);
    if inner == "." {
        return Err(ChartError::OutsideBase(name.to_owned()));
    }
    if inner.starts_with("..") {
        return Err(ChartError::ParentDirectory);
    }
    let mut chars = inner.chars();
    if chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.as_str().starts_with(":/") {
        return Err(ChartError::IllegalName);
    }
    if first == "Chart.yaml" {
        return Err(ChartError::ChartYamlNotInBase);
    }
    Ok(inner)
}

/// What the magic bytes of something that is no gzip say it is, as Go's `http.DetectContentType` names it.
pub fn content_type(bytes: &[u8]) -> &'static str {
    const KNOWN: &[(&[u8], &str)] = &[
        (b"%PDF-", "application/pdf"),
        (b"%!PS-Adobe-", "application/postscript"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"PK\x03\x04", "application/zip"),
        (b"Rar!\x1a\x07\x00", "application/x-rar-compressed"),
        (b"Rar!\x1a\x07\x01\x00", "application/x-rar-compressed"),
        (b"\xef\xbb\xbf", "text/plain; charset=utf-8"),
        (b"\xff\xfe", "text/plain; charset=utf-16le"),
        (b"\xfe\xff", "text/plain; charset=utf-16be"),
        (b"\0asm", "application/wasm"),
    ];
    // Helm hands over a buffer of 512 bytes, filled with zeros behind a shorter file.
    let padded = bytes.len() < 512;
    let head = &bytes[..bytes.len().min(512)];
    let text = head.iter().position(|b| !b.is_ascii_whitespace()).map_or(&[][..], |at| &head[at..]);
    let tag = |word: &[u8]| {
        text.len() > word.len()
            && text[..word.len()].eq_ignore_ascii_case(word)
            && matches!(text[word.len()], b' ' | b'>')
    };
    if [&b"<!DOCTYPE HTML"[..], b"<HTML", b"<HEAD", b"<SCRIPT", b"<BODY", b"<TITLE", b"<DIV", b"<P", b"<!--"]
        .iter()
        .any(|word| tag(word))
    {
        return "text/html; charset=utf-8";
    }
    if text.starts_with(b"<?xml") {
        return "text/xml; charset=utf-8";
    }
    if let Some((_, name)) = KNOWN.iter().find(|(magic, _)| head.starts_with(magic)) {
        return name;
    }
    let binary = |b: u8| matches!(b, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    if padded || head.iter().any(|b| binary(*b)) {
        "application/octet-stream"
    } else {
        "text/plain; charset=utf-8"
    }
}

/// One header of the archive.
struct Entry {
    name: String,
    kind: u8,
    mode: u64,
    /// What the header claims.
    size: u64,
    /// What follows the header.
    stored: u64,
}

impl Entry {
    fn is_folder(&self) -> bool {
        const MODE_FOLDER: u64 = 0o040_000;
        const MODE_KIND: u64 = 0o170_000;
        self.kind == b'5' || self.mode & MODE_KIND == MODE_FOLDER
    }
}

/// A reader of tar streams: ustar, GNU long names, pax names and sizes.
struct Tar<R> {
    input: R,
    /// Bytes read so far, over all.
    taken: u64,
    /// Padding behind the last content.
    padding: usize,
}

impl<R: Read> Tar<R> {
    fn new(input: R) -> Self {
        Self { input, taken: 0, padding: 0 }
    }

    /// Fills `buffer`; false where the stream is at its end.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<bool, ChartError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.input.read(&mut buffer[filled..]) {
                Ok(0) if filled == 0 => return Ok(false),
                Ok(0) => return Err(ChartError::Archive("unexpected EOF".to_owned())),
                Ok(n) => filled += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(gzip_error(&error)),
            }
        }
        self.taken += filled as u64;
        if self.taken > MAX_CHART_SIZE + MAX_HEADER_BYTES {
            return Err(ChartError::ArchiveTooLarge);
        }
        Ok(true)
    }

    fn content(&mut self, data: &mut [u8]) -> Result<(), ChartError> {
        if !self.fill(data)? && !data.is_empty() {
            return Err(ChartError::Archive("unexpected EOF".to_owned()));
        }
        self.padding = (BLOCK - data.len() % BLOCK) % BLOCK;
        Ok(())
    }

    /// A content, unpacked to where it stays.
    fn shared(&mut self, size: u64) -> Result<Arc<[u8]>, ChartError> {
        let size = usize::try_from(size).map_err(|_too_large| ChartError::ArchiveTooLarge)?;
        let mut data: Arc<[u8]> = std::iter::repeat_n(0, size).collect();
        self.content(Arc::get_mut(&mut data).expect("just made, and not shared yet"))?;
        Ok(data)
    }

    fn skip(&mut self, mut size: u64) -> Result<(), ChartError> {
        self.padding = 0;
        let mut buffer = [0; 8 * BLOCK];
        size = size.div_ceil(BLOCK as u64).saturating_mul(BLOCK as u64);
        while size > 0 {
            let step = usize::try_from(size.min(buffer.len() as u64)).unwrap_or(buffer.len());
            if !self.fill(&mut buffer[..step])? {
                return Err(ChartError::Archive("unexpected EOF".to_owned()));
            }
            size -= step as u64;
        }
        Ok(())
    }

    /// The next entry that is no extension of another.
    fn next(&mut self) -> Result<Option<Entry>, ChartError> {
        let mut long_name: Option<String> = None;
        let mut pax_name: Option<String> = None;
        let mut pax_size: Option<u64> = None;
        loop {
            let mut padding = [0; BLOCK];
            let behind = std::mem::take(&mut self.padding);
            // Go takes an archive that ends without the padding of its last file.
            if behind > 0 && !self.fill(&mut padding[..behind])? {
                return Ok(None);
            }
            let mut header = [0; BLOCK];
            if !self.fill(&mut header)? {
                return Ok(None);
            }
            if header.iter().all(|b| *b == 0) {
                return match self.fill(&mut header)? {
                    false => Ok(None),
                    true if header.iter().all(|b| *b == 0) => Ok(None),
                    true => Err(bad_header()),
                };
            }
            let mut entry = parse_header(&header)?;
            match entry.kind {
                b'x' => {
                    let records = self.special(entry.size)?;
                    for (key, value) in pax_records(&records)? {
                        match key {
                            b"path" => pax_name = Some(String::from_utf8_lossy(value).into_owned()),
                            b"size" => {
                                let text = std::str::from_utf8(value).unwrap_or_default();
                                pax_size = Some(text.parse().map_err(|_not_a_number| bad_header())?);
                            }
                            _ => {}
                        }
                    }
                }
                b'L' => {
                    let bytes = self.special(entry.size)?;
                    long_name = Some(String::from_utf8_lossy(until_zero(&bytes)).into_owned());
                }
                b'K' => {
                    self.special(entry.size)?;
                }
                _ => {
                    if let Some(name) = pax_name.take().filter(|n| !n.is_empty()).or(long_name.take()) {
                        entry.name = name;
                    }
                    if let Some(size) = pax_size {
                        entry.size = size;
                        entry.stored = if entry.stored == 0 && header_only(entry.kind) { 0 } else { size };
                    }
                    if entry.kind == 0 {
                        entry.kind = if entry.name.ends_with('/') { b'5' } else { b'0' };
                    }
                    return Ok(Some(entry));
                }
            }
        }
    }

    fn special(&mut self, size: u64) -> Result<Vec<u8>, ChartError> {
        if size > MAX_SPECIAL_SIZE {
            return Err(ChartError::Archive("archive/tar: header field too long".to_owned()));
        }
        let size = usize::try_from(size).map_err(|_too_large| ChartError::ArchiveTooLarge)?;
        let mut data = vec![0; size];
        self.content(&mut data)?;
        Ok(data)
    }
}

/// Links, devices, folders, pipes: nothing follows their header, whatever size it claims.
fn header_only(kind: u8) -> bool {
    matches!(kind, b'1'..=b'6')
}

fn bad_header() -> ChartError {
    ChartError::Archive("archive/tar: invalid tar header".to_owned())
}

fn gzip_error(error: &std::io::Error) -> ChartError {
    match error.kind() {
        ErrorKind::UnexpectedEof => ChartError::Archive("unexpected EOF".to_owned()),
        ErrorKind::InvalidInput if error.to_string().contains("header") => {
            ChartError::GzipHeader("gzip: invalid header".to_owned())
        }
        _ => ChartError::Archive("gzip: invalid checksum or corrupt data".to_owned()),
    }
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len())]
}

/// Octal text, or base 256 where the top bit is set.
fn number(field: &[u8]) -> Result<u64, ChartError> {
    if field.first().is_some_and(|b| b & 0x80 != 0) {
        if field[0] & 0x40 != 0 {
            return Err(bad_header());
        }
        return field.iter().enumerate().try_fold(0_u64, |sum, (at, byte)| {
            let byte = if at == 0 { byte & 0x7f } else { *byte };
            sum.checked_mul(256).map(|sum| sum + u64::from(byte)).ok_or_else(bad_header)
        });
    }
    let text = std::str::from_utf8(field).map_err(|_not_text| bad_header())?;
    let text = text.trim_matches([' ', '\0']);
    let text = text.split('\0').next().unwrap_or_default();
    if text.is_empty() {
        return Ok(0);
    }
    u64::from_str_radix(text, 8).map_err(|_not_octal| bad_header())
}

fn parse_header(header: &[u8; BLOCK]) -> Result<Entry, ChartError> {
    let claimed = number(&header[148..156])?;
    let (mut unsigned, mut signed) = (0_i64, 0_i64);
    for (at, byte) in header.iter().enumerate() {
        let byte = if (148..156).contains(&at) { b' ' } else { *byte };
        unsigned += i64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    let claimed = i64::try_from(claimed).map_err(|_too_large| bad_header())?;
    if claimed != unsigned && claimed != signed {
        return Err(bad_header());
    }
    let mut name = String::from_utf8_lossy(until_zero(&header[..100])).into_owned();
    // The ustar format splits long names; GNU's keeps other fields where the prefix is.
    if &header[257..263] == b"ustar\0" {
        let prefix = String::from_utf8_lossy(until_zero(&header[345..500])).into_owned();
        if !prefix.is_empty() {
            name = format!("{prefix}/{name}");
        }
    }
    let kind = header[156];
    let size = number(&header[124..136])?;
    let mode = number(&header[100..108])?;
    let stored = if header_only(kind) { 0 } else { size };
    Ok(Entry { name, kind, mode, size, stored })
}

/// Key and value of an extended header.
type Record<'a> = (&'a [u8], &'a [u8]);

/// `LENGTH KEY=VALUE\n` records.
fn pax_records(mut rest: &[u8]) -> Result<Vec<Record<'_>>, ChartError> {
    let mut records = Vec::new();
    while !rest.is_empty() {
        let space = rest.iter().position(|b| *b == b' ').ok_or_else(bad_header)?;
        let length: usize = std::str::from_utf8(&rest[..space])
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(bad_header)?;
        let record = rest.get(space + 1..length).ok_or_else(bad_header)?;
        let record = record.strip_suffix(b"\n").ok_or_else(bad_header)?;
        let equals = record.iter().position(|b| *b == b'=').ok_or_else(bad_header)?;
        records.push((&record[..equals], &record[equals + 1..]));
        rest = &rest[length..];
    }
    Ok(records)
}

/// Packs files, for tests.
#[cfg(test)]
pub fn pack(files: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write as _;
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for (name, data) in files {
        let mut header = [0_u8; BLOCK];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        header[124..135].copy_from_slice(format!("{:011o}", data.len()).as_bytes());
        header[156] = b'0';
        header[257..263].copy_from_slice(b"ustar\0");
        seal(&mut header);
        out.write_all(&header).expect("memory");
        out.write_all(data).expect("memory");
        out.write_all(&vec![0; (BLOCK - data.len() % BLOCK) % BLOCK]).expect("memory");
    }
    out.write_all(&[0; 2 * BLOCK]).expect("memory");
    out.finish().expect("memory")
}

/// Writes the checksum into a header, for tests.
#[cfg(test)]
fn seal(header: &mut [u8; BLOCK]) {
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn names(files: &[(&str, &[u8])]) -> Result<Vec<String>, ChartError> {
        let read = read(&pack(files), &mut Budget::default())?;
        Ok(read.iter().map(|f| f.name.to_string()).collect())
    }

    #[test]
    fn strips_the_first_folder_and_byte_order_marks() {
        let packed = pack(&[("c/Chart.yaml", b"\xef\xbb\xbfname: c\n"), ("c\\templates\\a.yaml", b"")]);
        let files = read(&packed, &mut Budget::default()).expect("good");
        assert_eq!(&*files[0].name, "Chart.yaml");
        assert_eq!(&*files[0].data, b"name: c\n");
        assert_eq!(&*files[1].name, "templates/a.yaml");
    }

    #[test]
    fn refuses_every_way_out_of_the_chart() {
        let refused = |name: &str| names(&[(name, b"x")]).expect_err(name);
        assert_eq!(refused("c/../../x"), ChartError::ParentDirectory);
        assert_eq!(refused("c//etc/x"), ChartError::AbsolutePath);
        assert_eq!(refused("x"), ChartError::OutsideBase("x".to_owned()));
        assert_eq!(refused("c/c:/x"), ChartError::IllegalName);
        assert_eq!(refused("Chart.yaml/x"), ChartError::ChartYamlNotInBase);
        assert_eq!(names(&[]).expect_err("empty"), ChartError::EmptyArchive);
    }

    #[test]
    fn links_and_devices_are_empty_files_and_folders_are_skipped() {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        for (name, kind) in [("c/link", b'2'), ("c/hard", b'1'), ("c/device", b'3'), ("c/folder", b'5')] {
            let mut header = [0_u8; BLOCK];
            header[..name.len()].copy_from_slice(name.as_bytes());
            header[156] = kind;
            seal(&mut header);
            out.write_all(&header).expect("memory");
        }
        let files = read(&out.finish().expect("memory"), &mut Budget::default()).expect("good");
        assert_eq!(files.iter().map(|f| &*f.name).collect::<Vec<_>>(), ["link", "hard", "device"]);
        assert!(files.iter().all(|f| f.data.is_empty()));
    }

    #[test]
    fn claimed_sizes_are_refused_before_they_are_read() {
        for (size, expected) in [
            (MAX_FILE_SIZE + 1, ChartError::ArchivedFileTooLarge("c/x".to_owned())),
            (MAX_CHART_SIZE + 1, ChartError::ArchiveTooLarge),
        ] {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            let mut header = [0_u8; BLOCK];
            header[..3].copy_from_slice(b"c/x");
            header[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
            header[156] = b'0';
            seal(&mut header);
            out.write_all(&header).expect("memory");
            assert_eq!(
                read(&out.finish().expect("memory"), &mut Budget::default()).expect_err("large"),
                expected
            );
        }
    }

    #[test]
    fn a_stream_without_end_is_refused() {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let file = vec![b' '; 5 * 1024 * 1024];
        for at in 0..21 {
            let mut header = [0_u8; BLOCK];
            let name = format!("c/{at}");
            header[..name.len()].copy_from_slice(name.as_bytes());
            header[124..135].copy_from_slice(format!("{:011o}", file.len()).as_bytes());
            header[156] = b'0';
            seal(&mut header);
            out.write_all(&header).expect("memory");
            out.write_all(&file).expect("memory");
        }
        let packed = out.finish().expect("memory");
        assert_eq!(read(&packed, &mut Budget::default()).expect_err("large"), ChartError::ArchiveTooLarge);
    }

    #[test]
    fn countless_files_are_refused() {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut header = [0_u8; BLOCK];
        header[..3].copy_from_slice(b"c/a");
        header[124..135].copy_from_slice(b"00000000000");
        header[156] = b'0';
        seal(&mut header);
        for _ in 0..=MAX_FILES {
            out.write_all(&header).expect("memory");
        }
        let packed = out.finish().expect("memory");
        assert_eq!(read(&packed, &mut Budget::default()).expect_err("many"), ChartError::TooManyFiles);
    }

    #[test]
    fn names_what_is_no_archive() {
        assert_eq!(
            content_type(
                b"name: x
"
            ),
            "application/octet-stream"
        );
        assert_eq!(content_type(&[b'a'; 600]), "text/plain; charset=utf-8");
        assert_eq!(content_type(b"PK"), "application/zip");
        assert!(read(b"\x1f\x8b\x08garbage", &mut Budget::default()).is_err());
        assert!(read(b"", &mut Budget::default()).is_err());
    }
}
