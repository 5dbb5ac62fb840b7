//! XML documents: a pull reader over received bytes and a writer, as generated code uses them.
//!
//! Reading goes straight from the bytes into structs, without a tree between. The same traits are what the derive
//! macros implement.

mod from_json;
mod reader;
mod writer;

pub use reader::{XmlError, XmlReader};
pub use writer::XmlWriter;

pub(crate) use from_json::from_json;

/// Reads an element's children into a value that exists already.
///
/// ```
/// use oss_sdk::xml::{self, ReadXml, XmlError, XmlReader};
///
/// #[derive(Default)]
/// struct Owner { id: String, names: Vec<String> }
///
/// impl ReadXml for Owner {
///     fn read_xml(&mut self, reader: &mut XmlReader<'_>) -> Result<(), XmlError> {
///         while let Some(child) = reader.next_child()? {
///             match child {
///                 b"ID" => self.id = reader.value()?,
///                 b"Name" => self.names.push(reader.value()?),
///                 _ => reader.skip()?,
///             }
///         }
///         Ok(())
///     }
/// }
///
/// let mut owner = Owner::default();
/// xml::read_document(b"<Owner><ID>1</ID><New/><Name>a</Name><Name>b</Name></Owner>", Some("Owner"), &mut owner)?;
/// assert_eq!((owner.id.as_str(), owner.names.len()), ("1", 2));
/// # Ok::<(), XmlError>(())
/// ```
pub trait ReadXml {
    /// Reads all children of the element that the reader stands on.
    ///
    /// # Errors
    ///
    /// When the document is malformed, ends early, or a value is not of its type's form.
    fn read_xml(&mut self, reader: &mut XmlReader<'_>) -> Result<(), XmlError>;
}

/// Writes a value's members as children of the element that is open.
pub trait WriteXml {
    /// Writes the children. Members that break a rule are reported with the writer's `check_*` methods.
    fn write_xml(&self, writer: &mut XmlWriter);
}

/// Reads a whole document into `value`. With `root` the name of the root element is checked.
///
/// # Errors
///
/// As [`ReadXml::read_xml`]; also when there is another root, or anything but blanks and comments behind it.
pub fn read_document(bytes: &[u8], root: Option<&str>, value: &mut (impl ReadXml + ?Sized)) -> Result<(), XmlError> {
    let mut reader = XmlReader::new(bytes);
    reader.root(root)?;
    reader.read_into(value)?;
    reader.end()
}

/// The text of a document whose root element holds nothing else, e.g. `<LocationConstraint>oss-cn-beijing</...>`.
///
/// # Errors
///
/// As [`read_document`]; also when the root element has children.
pub fn read_root_text(bytes: &[u8], root: Option<&str>) -> Result<String, XmlError> {
    let mut reader = XmlReader::new(bytes);
    reader.root(root)?;
    let text = reader.value()?;
    reader.end()?;
    Ok(text)
}

impl<T: ReadXml + ?Sized> ReadXml for Box<T> {
    fn read_xml(&mut self, reader: &mut XmlReader<'_>) -> Result<(), XmlError> {
        (**self).read_xml(reader)
    }
}

impl<T: WriteXml + ?Sized> WriteXml for Box<T> {
    fn write_xml(&self, writer: &mut XmlWriter) {
        (**self).write_xml(writer);
    }
}

impl<T: WriteXml + ?Sized> WriteXml for &T {
    fn write_xml(&self, writer: &mut XmlWriter) {
        (**self).write_xml(writer);
    }
}
