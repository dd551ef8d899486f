//! An object as the caches keep it: readable or not, shared by all who look at it, and without what nobody goes by.
//!
//! kube's own guard reads an object through two copies of all that was written. A cache of a thousand objects is filled
//! through this, and what it takes meanwhile is not given back.

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::PartialObjectMeta;
use kube::core::error_boundary::InvalidObject;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Where kubectl keeps all that it applied last.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object that may turn out not to be readable.
#[derive(Clone, Debug)]
pub struct Guarded<K>(pub Result<Arc<K>, InvalidObject>);

impl<'de, K: DeserializeOwned + Resource> Deserialize<'de> for Guarded<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut written = Value::deserialize(deserializer)?;
        forget(&mut written);
        match K::deserialize(&written) {
            Ok(object) => Ok(Self(Ok(Arc::new(object)))),
            Err(unreadable) => {
                let read = PartialObjectMeta::<K>::deserialize(&written).map_err(Error::custom)?;
                let error = unreadable.to_string();
                Ok(Self(Err(InvalidObject { error, metadata: read.metadata })))
            }
        }
    }
}

/// Who has managed which field, and what was applied last, is the larger part of most objects. Neither is lost by it:
/// where a write does not mention them, the API server keeps them.
fn forget(written: &mut Value) {
    let Some(Value::Object(metadata)) = written.get_mut("metadata") else { return };
    metadata.remove("managedFields");
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        annotations.remove(LAST_APPLIED);
    }
}

impl<K: Resource + Clone> Resource for Guarded<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(dt: &K::DynamicType) -> Cow<'_, str> {
        K::kind(dt)
    }

    fn group(dt: &K::DynamicType) -> Cow<'_, str> {
        K::group(dt)
    }

    fn version(dt: &K::DynamicType) -> Cow<'_, str> {
        K::version(dt)
    }

    fn plural(dt: &K::DynamicType) -> Cow<'_, str> {
        K::plural(dt)
    }

    fn meta(&self) -> &ObjectMeta {
        match &self.0 {
            Ok(object) => object.meta(),
            Err(invalid) => &invalid.metadata,
        }
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        match &mut self.0 {
            Ok(object) => Arc::make_mut(object).meta_mut(),
            Err(invalid) => &mut invalid.metadata,
        }
    }
}

#[cfg(test)]
mod tests {
    use dryad_crds::Deployment;
    use kube::ResourceExt;
    use serde_json::json;

    use super::*;

    fn read(spec: &Value) -> Guarded<Deployment> {
        let written = json!({
            "apiVersion": "dryad.dev/v1alpha1",
            "kind": "Deployment",
            "metadata": {
                "name": "web-1",
                "namespace": "shop",
                "annotations": { LAST_APPLIED: "{}", "dryad.dev/started": "u" },
                "managedFields": [{ "manager": "kubectl", "operation": "Apply" }],
            },
            "spec": spec,
        });
        serde_json::from_str(&written.to_string()).unwrap()
    }

    #[test]
    fn what_cannot_be_read_still_has_a_name() {
        let readable = read(&json!({ "environment": "web" }));
        assert_eq!(readable.0.as_ref().unwrap().spec.environment.as_str(), "web");
        let broken = read(&json!({ "environment": 7 }));
        assert_eq!((broken.name_any(), broken.namespace()), ("web-1".to_owned(), Some("shop".to_owned())));
        assert!(broken.0.unwrap_err().error.contains("expected a string"));
    }

    #[test]
    fn what_nobody_goes_by_is_not_kept() {
        for object in [read(&json!({ "environment": "web" })), read(&json!({}))] {
            assert_eq!(object.meta().managed_fields, None);
            let annotations: Vec<_> = object.annotations().keys().collect();
            assert_eq!(annotations, ["dryad.dev/started"]);
        }
    }
}
