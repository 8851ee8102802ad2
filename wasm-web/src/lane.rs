//! The way over the boundary: the fields of a value one after another, in the order of WIT, each with a call of its
//! own. An enum, and the case of a variant, is its number in WIT. An option is 0, or 1 and the value; a list is its
//! length and its items.
//!
//! Measured against five other encodings, this one is the smallest and the quickest. `xtask/src/web/forms.rs` writes
//! the other side from the files of `wit/`.

use crate::platform::Single;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::mem;
use hydrant_lfs::{Code, Error};
use wasm_bindgen::prelude::wasm_bindgen;

/// A field on its way.
enum Field {
    Number(f64),
    Long(u64),
    Text(String),
    Bytes(Vec<u8>),
}

/// Fields in their order.
struct Lane {
    fields: Vec<Field>,
    /// So many are taken.
    taken: usize,
}

/// To JavaScript.
static OUT: Single<RefCell<Lane>> = Single(RefCell::new(Lane::EMPTY));
/// From JavaScript.
static IN: Single<RefCell<Lane>> = Single(RefCell::new(Lane::EMPTY));

impl Lane {
    const EMPTY: Self = Self { fields: Vec::new(), taken: 0 };

    #[inline(never)]
    fn push(&mut self, field: Field) {
        self.fields.push(field);
    }

    #[inline(never)]
    fn next(&mut self) -> Option<Field> {
        let field = mem::replace(self.fields.get_mut(self.taken)?, Field::Number(f64::NAN));
        self.taken += 1;
        Some(field)
    }
}

/// A value that JavaScript reads from the lane.
pub(crate) trait Put {
    /// Puts its fields.
    fn put(self);
}

/// A value that JavaScript has put on the lane.
pub(crate) trait Take: Sized {
    /// Takes its fields. An error says that they are no such value.
    fn take() -> Result<Self, Error>;
}

fn send(field: Field) {
    OUT.0.borrow_mut().push(field);
}

fn sent() -> Option<Field> {
    OUT.0.borrow_mut().next()
}

fn receive(field: Field) {
    IN.0.borrow_mut().push(field);
}

fn received() -> Option<Field> {
    IN.0.borrow_mut().next()
}

/// Puts a number that JavaScript knows as one: a length, a case, a truth value.
pub(crate) fn put_number(number: u32) {
    send(Field::Number(f64::from(number)));
}

/// Takes such a number.
#[inline(never)]
pub(crate) fn take_number() -> Result<u32, Error> {
    match received() {
        Some(Field::Number(number)) => Ok(number as u32),
        _ => Err(unfitting()),
    }
}

/// What was put is not what was asked for. JavaScript that checks what it is given never gets here.
#[cold]
pub(crate) fn unfitting() -> Error {
    Error::new(Code::Malformed, "the arguments do not have the form that the declarations describe")
}

/// Begins the arguments of a call; what an earlier call left is gone.
#[wasm_bindgen(js_name = laneClear)]
pub fn clear() {
    IN.0.replace(Lane::EMPTY);
    OUT.0.replace(Lane::EMPTY);
}

#[wasm_bindgen(js_name = laneNumber)]
pub fn out_number() -> f64 {
    match sent() {
        Some(Field::Number(number)) => number,
        _ => f64::NAN,
    }
}

#[wasm_bindgen(js_name = laneLong)]
pub fn out_long() -> u64 {
    match sent() {
        Some(Field::Long(number)) => number,
        _ => 0,
    }
}

#[wasm_bindgen(js_name = laneText)]
pub fn out_text() -> String {
    match sent() {
        Some(Field::Text(text)) => text,
        _ => String::new(),
    }
}

#[wasm_bindgen(js_name = laneBytes)]
pub fn out_bytes() -> Vec<u8> {
    match sent() {
        Some(Field::Bytes(bytes)) => bytes,
        _ => Vec::new(),
    }
}

#[wasm_bindgen(js_name = laneSetNumber)]
pub fn in_number(number: f64) {
    receive(Field::Number(number));
}

#[wasm_bindgen(js_name = laneSetLong)]
pub fn in_long(number: u64) {
    receive(Field::Long(number));
}

#[wasm_bindgen(js_name = laneSetText)]
pub fn in_text(text: String) {
    receive(Field::Text(text));
}

#[wasm_bindgen(js_name = laneSetBytes)]
pub fn in_bytes(bytes: Vec<u8>) {
    receive(Field::Bytes(bytes));
}

/// Values that are a field each.
macro_rules! fields {
    ($($name:ty: $field:ident),+) => {$(
        impl Put for $name {
            fn put(self) {
                send(Field::$field(self));
            }
        }

        impl Take for $name {
            #[inline(never)]
            fn take() -> Result<Self, Error> {
                match received() {
                    Some(Field::$field(value)) => Ok(value),
                    _ => Err(unfitting()),
                }
            }
        }
    )+};
}

fields! { u64: Long, String: Text, Vec<u8>: Bytes }

impl Put for u32 {
    fn put(self) {
        put_number(self);
    }
}

impl Take for u32 {
    fn take() -> Result<Self, Error> {
        take_number()
    }
}

impl Put for u16 {
    fn put(self) {
        put_number(u32::from(self));
    }
}

impl Take for u16 {
    fn take() -> Result<Self, Error> {
        take_number()?.try_into().map_err(|_| unfitting())
    }
}

impl Put for bool {
    fn put(self) {
        put_number(u32::from(self));
    }
}

impl Take for bool {
    fn take() -> Result<Self, Error> {
        Ok(take_number()? != 0)
    }
}

impl<T: Put> Put for Vec<T> {
    fn put(self) {
        put_number(self.len() as u32);
        self.into_iter().for_each(T::put);
    }
}

impl<T: Take> Take for Vec<T> {
    fn take() -> Result<Self, Error> {
        let mut items = Vec::new();
        for _ in 0..take_number()? {
            items.push(T::take()?);
        }
        Ok(items)
    }
}

impl<T: Put> Put for Option<T> {
    fn put(self) {
        put_number(u32::from(self.is_some()));
        if let Some(value) = self {
            value.put();
        }
    }
}

impl<T: Take> Take for Option<T> {
    fn take() -> Result<Self, Error> {
        Ok(if bool::take()? { Some(T::take()?) } else { None })
    }
}

impl Put for () {
    fn put(self) {}
}

impl<T: Put, E: Put> Put for Result<T, E> {
    fn put(self) {
        put_number(u32::from(self.is_err()));
        match self {
            Ok(value) => value.put(),
            Err(error) => error.put(),
        }
    }
}

/// Records whose fields have forms of their own.
macro_rules! put_records {
    ($($name:ident { $($field:tt),+ })+) => {$(
        impl $crate::lane::Put for $name {
            fn put(self) {
                $($crate::lane::Put::put(self.$field);)+
            }
        }
    )+};
}
macro_rules! take_records {
    ($($name:ident { $($field:tt),+ })+) => {$(
        impl $crate::lane::Take for $name {
            fn take() -> Result<Self, hydrant_lfs::Error> {
                Ok(Self { $($field: $crate::lane::Take::take()?),+ })
            }
        }
    )+};
}
/// Enums whose cases stand in the order of WIT.
macro_rules! put_enums {
    ($($name:ty)+) => {$(
        impl $crate::lane::Put for $name {
            fn put(self) {
                $crate::lane::put_number(self as u32);
            }
        }
    )+};
}
macro_rules! take_enums {
    ($($name:ident { $($case:ident),+ })+) => {$(
        impl $crate::lane::Take for $name {
            fn take() -> Result<Self, hydrant_lfs::Error> {
                const CASES: &[$name] = &[$($name::$case),+];
                CASES.get($crate::lane::take_number()? as usize).copied().ok_or_else($crate::lane::unfitting)
            }
        }
    )+};
}
pub(crate) use {put_enums, put_records, take_enums, take_records};
