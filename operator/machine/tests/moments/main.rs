//! Single decisions, each at a moment of a deploy where all is as it should be but for what the test says: what is done
//! next, in which order, and what is not done yet.

mod coming_in;
mod ending;
mod going_back;
mod going_on;
mod judging;
mod ledger;
mod minding;
mod moment;
mod orphaned;
mod remembering;
mod saying;
mod taking_down;
mod waiting;
