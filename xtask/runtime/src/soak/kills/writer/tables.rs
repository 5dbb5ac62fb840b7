//! Vectors, and tables with the location of their metadata.

use oss_sdk::Error;
use oss_sdk::tables::{
    CreateTableRequest, DeleteTableRequest, GetTableMetadataLocationRequest, UpdateTableMetadataLocationRequest,
};
use oss_sdk::vectors::types::{Vector, VectorData};
use oss_sdk::vectors::{DeleteVectorsRequest, PutVectorsRequest};

use super::super::clients::{Clients, VECTORS, index, namespace};
use super::super::observe::{table_setting, vector_setting};
use super::Writer;

const KEYS: u64 = 6;
const TABLES: u64 = 2;

impl Writer {
    /// Two vectors come or go together.
    pub(super) async fn vectors(&mut self, clients: &Clients) -> Result<&'static str, Error> {
        let first = self.random.below(KEYS);
        let keys = [first, (first + 1) % KEYS].map(|key| format!("k{key}"));
        let index = index(self.number);
        if self.random.below(3) == 0 {
            self.expect(|state| {
                for key in &keys {
                    state.settings.remove(&vector_setting(key));
                }
            });
            let request = DeleteVectorsRequest::new(VECTORS, index, keys);
            clients.vectors.delete_vectors(request).await?;
            return Ok("delete of vectors");
        }
        let value = u16::try_from(self.random.below(60_000)).unwrap_or_default();
        self.expect(|state| {
            for key in &keys {
                state.settings.insert(vector_setting(key), value.to_string());
            }
        });
        let vectors = keys.map(|key| Vector::new(key, VectorData::from([f32::from(value), 1.0])));
        let request = PutVectorsRequest::new(VECTORS, index, vectors);
        clients.vectors.put_vectors(request).await?;
        Ok("vectors")
    }

    pub(super) async fn table(&mut self, clients: &Clients) -> Result<&'static str, Error> {
        let name = format!("table{}", self.random.below(TABLES));
        let setting = table_setting(&name);
        let (client, lake, namespace) = (&clients.tables, &clients.lake, namespace(self.number));
        if !self.known.settings.contains_key(&setting) {
            self.expect(|state| {
                state.settings.insert(setting, String::new());
            });
            let request = CreateTableRequest::new(lake, namespace, name, "ICEBERG");
            client.create_table(request).await?;
            return Ok("table");
        }
        if self.random.below(4) == 0 {
            self.expect(|state| {
                state.settings.remove(&setting);
            });
            let request = DeleteTableRequest::new(lake, namespace, name);
            client.delete_table(request).await?;
            return Ok("delete of a table");
        }
        let request = GetTableMetadataLocationRequest::new(lake, &namespace, &name);
        let location = client.get_table_metadata_location(request).await?;
        let warehouse = location.warehouse_location.unwrap_or_default();
        let file = format!("{warehouse}/metadata/{}.json", self.mark());
        self.expect(|state| {
            state.settings.insert(setting, file.clone());
        });
        let token = location.version_token.unwrap_or_default();
        let request = UpdateTableMetadataLocationRequest::new(lake, namespace, name, file, token);
        client.update_table_metadata_location(request).await?;
        Ok("table update")
    }
}
