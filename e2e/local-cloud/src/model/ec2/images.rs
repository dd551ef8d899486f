//! Machine images. They mean nothing here but that they exist: what runs is the user data.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::filter::Filter;
use crate::model::action::{Action, Context, Kind};
use crate::model::caller::Place;
use crate::model::error::{ApiError, Code};
use crate::model::region::Region;
use crate::model::service::Service;
use crate::model::world::World;

/// The images every region starts with.
pub const IMAGES: [&str; 3] = ["ami-00000000000000001", "ami-00000000000000002", "ami-00000000000000003"];

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// `ami-…`.
    pub image_id: String,
    /// Its name.
    pub name: String,
    /// Always `available`.
    pub image_state: String,
    /// The account it belongs to.
    pub image_owner_id: String,
    /// `arm64` or `x86_64`.
    pub architecture: String,
}

impl Image {
    fn named(place: &Place, id: &str) -> Self {
        Self {
            image_id: id.to_owned(),
            name: format!("image {id}"),
            image_state: "available".to_owned(),
            image_owner_id: place.account.to_string(),
            architecture: "arm64".to_owned(),
        }
    }
}

pub(super) fn furniture(place: &Place) -> BTreeMap<String, Image> {
    IMAGES.iter().map(|id| ((*id).to_owned(), Image::named(place, id))).collect()
}

impl World {
    /// Makes an image known in a region.
    pub fn register_image(&mut self, place: &Place, id: &str) {
        let image = Image::named(place, id);
        self.change(place, |region| region.ec2.images.insert(id.to_owned(), image));
    }

    /// Takes an image away: launches that need it fail from now on.
    pub fn deregister_image(&mut self, place: &Place, id: &str) {
        self.change(place, |region| region.ec2.images.remove(id));
    }
}

/// Lists images.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DescribeImages {
    /// Only these; an unknown one is an error.
    #[serde(rename = "ImageId")]
    pub image_ids: Vec<String>,
    /// `image-id`, `name`, `architecture`, `state`.
    #[serde(rename = "Filter")]
    pub filters: Vec<Filter>,
}

/// The images.
#[derive(Debug, Clone, Serialize)]
pub struct DescribeImagesAnswer {
    /// In the order of their ids.
    #[serde(rename = "imagesSet")]
    pub images: Vec<Image>,
}

impl Action for DescribeImages {
    const SERVICE: Service = Service::Ec2;
    const NAME: &'static str = "DescribeImages";
    const KIND: Kind = Kind::Read;
    type Answer = DescribeImagesAnswer;

    fn resource(&self) -> String {
        self.image_ids.join(",")
    }

    fn run(self, region: &mut Region, _: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        if let Some(unknown) = self.image_ids.iter().find(|id| !region.ec2.images.contains_key(*id)) {
            let message = format!("The image id '[{unknown}]' does not exist");
            return Err(ApiError::new(Code::InvalidAmiIdNotFound, message));
        }
        let mut images = Vec::new();
        for image in region.ec2.images.values() {
            let asked = self.image_ids.is_empty() || self.image_ids.contains(&image.image_id);
            let passes = Filter::all(&self.filters, |name| match name {
                "image-id" => Some(vec![image.image_id.clone()]),
                "name" => Some(vec![image.name.clone()]),
                "architecture" => Some(vec![image.architecture.clone()]),
                "state" => Some(vec![image.image_state.clone()]),
                _ => None,
            })?;
            if asked && passes {
                images.push(image.clone());
            }
        }
        Ok(DescribeImagesAnswer { images })
    }
}
