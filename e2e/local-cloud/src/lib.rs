//! AWS as far as Dryad uses it, on one machine: a pure model behind two doors.
