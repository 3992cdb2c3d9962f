//! The bytes of the cache's files: a head that names the model, then records of one length.

use cutover_durable::digest::Hasher;

/// Bytes of a head: magic, format, dimensions, digest of the model's name, check.
pub(super) const HEAD_BYTES: usize = 64;
const MAGIC: &[u8; 8] = b"CUTOVEMB";
const FORMAT: u32 = 1;
const DIGEST_BYTES: usize = 32;
/// The first bytes of a SHA-256.
const CHECK_BYTES: usize = 16;

/// The SHA-256 of a text.
pub(super) type TextDigest = [u8; DIGEST_BYTES];

/// Writes and reads records of one model.
pub(super) struct Codec {
    head: [u8; HEAD_BYTES],
    dimensions: usize,
}

impl Codec {
    pub fn new(model: &str, dimensions: usize) -> Self {
        let mut head = [0; HEAD_BYTES];
        let (body, check) = head.split_at_mut(HEAD_BYTES - CHECK_BYTES);
        body[..8].copy_from_slice(MAGIC);
        body[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        body[12..16].copy_from_slice(&u32::try_from(dimensions).unwrap_or(u32::MAX).to_le_bytes());
        body[16..].copy_from_slice(&digest(&[model.as_bytes()]));
        check.copy_from_slice(&check_of(&[body]));
        Self { head, dimensions }
    }

    /// Whether these bytes are the head of some model's file of this format.
    pub fn is_head(head: &[u8; HEAD_BYTES]) -> bool {
        let (body, check) = head.split_at(HEAD_BYTES - CHECK_BYTES);
        body.starts_with(MAGIC) && body[8..12] == FORMAT.to_le_bytes() && *check == check_of(&[body])
    }

    pub fn head(&self) -> &[u8; HEAD_BYTES] {
        &self.head
    }

    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The length of a record: the text's digest, the components, the check.
    pub fn record_bytes(&self) -> usize {
        DIGEST_BYTES + self.dimensions * size_of::<f32>() + CHECK_BYTES
    }

    #[expect(clippy::unused_self, reason = "which digest it is belongs to the format")]
    pub fn digest_of(&self, text: &str) -> TextDigest {
        digest(&[text.as_bytes()])
    }

    /// The record of a text's vector, which has as many components as the model has dimensions.
    pub fn encode(&self, digest: &TextDigest, vector: &[f32]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.record_bytes());
        bytes.extend_from_slice(digest);
        for component in vector {
            bytes.extend_from_slice(&component.to_le_bytes());
        }
        bytes.extend_from_slice(&check_of(&[&self.head, &bytes]));
        bytes
    }

    /// The vector of a record, if that is what was written, for this text and this model.
    pub fn decode(&self, bytes: &[u8], digest: &TextDigest) -> Option<Vec<f32>> {
        let (body, check) = bytes.split_at_checked(self.record_bytes() - CHECK_BYTES)?;
        if !body.starts_with(digest) || *check != check_of(&[&self.head, body]) {
            return None;
        }
        let components = body[DIGEST_BYTES..].as_chunks().0.iter();
        Some(components.map(|component| f32::from_le_bytes(*component)).collect())
    }
}

fn digest(parts: &[&[u8]]) -> [u8; DIGEST_BYTES] {
    let mut hasher = Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    *hasher.finish().as_bytes()
}

fn check_of(parts: &[&[u8]]) -> [u8; CHECK_BYTES] {
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(&digest(parts)[..CHECK_BYTES]);
    check
}
