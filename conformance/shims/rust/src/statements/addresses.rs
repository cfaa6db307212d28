//! The addresses that a home server may name (KEZ-REG-031, KEZ-REG-032).
use crate::problem::{ensure, Code, Result};
use std::net::{Ipv4Addr, Ipv6Addr};
use url::Host;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Loopback,
    Private,
    Shared,
    LinkLocal,
    Unusable,
    Special,
    Public,
}

const CLASSES: [(Class, &str); 7] = [
    (Class::Loopback, "loopback"),
    (Class::Private, "private"),
    (Class::Shared, "shared"),
    (Class::LinkLocal, "link_local"),
    (Class::Unusable, "unusable"),
    (Class::Special, "special"),
    (Class::Public, "public"),
];

impl Class {
    pub fn name(self) -> &'static str {
        CLASSES
            .iter()
            .find(|(class, _)| *class == self)
            .map_or("", |(_, name)| name)
    }

    pub fn parse(text: &str) -> Option<Self> {
        CLASSES.iter().find(|(_, name)| *name == text).map(|(class, _)| *class)
    }
}

/// An IPv4 prefix.
struct V4(u8, u8, u8, u8, u32);
/// An IPv6 prefix by its first four groups.
struct V6(u16, u16, u16, u16, u32);

/// The first row that holds an address gives its class; addresses of no row are public.
const V4_CLASSES: [(V4, Class); 14] = [
    (V4(0, 0, 0, 0, 8), Class::Unusable),
    (V4(10, 0, 0, 0, 8), Class::Private),
    (V4(100, 64, 0, 0, 10), Class::Shared),
    (V4(127, 0, 0, 0, 8), Class::Loopback),
    (V4(169, 254, 0, 0, 16), Class::LinkLocal),
    (V4(172, 16, 0, 0, 12), Class::Private),
    (V4(192, 0, 0, 0, 24), Class::Special),
    (V4(192, 0, 2, 0, 24), Class::Special),
    (V4(192, 88, 99, 0, 24), Class::Special),
    (V4(192, 168, 0, 0, 16), Class::Private),
    (V4(198, 18, 0, 0, 15), Class::Special),
    (V4(198, 51, 100, 0, 24), Class::Special),
    (V4(203, 0, 113, 0, 24), Class::Special),
    (V4(224, 0, 0, 0, 3), Class::Unusable),
];

const V6_CLASSES: [(V6, Class); 9] = [
    (V6(0x64, 0xff9b, 1, 0, 48), Class::Private),
    (V6(0xfc00, 0, 0, 0, 7), Class::Private),
    (V6(0xfe80, 0, 0, 0, 10), Class::LinkLocal),
    (V6(0xfec0, 0, 0, 0, 10), Class::Private),
    (V6(0xff00, 0, 0, 0, 8), Class::Unusable),
    (V6(0x2001, 0, 0, 0, 23), Class::Special),
    (V6(0x2001, 0xdb8, 0, 0, 32), Class::Special),
    (V6(0x3fff, 0, 0, 0, 20), Class::Special),
    (V6(0x2000, 0, 0, 0, 3), Class::Public),
];

pub fn v4_class(address: Ipv4Addr) -> Class {
    let bits = u32::from(address);
    let holds = |V4(a, b, c, d, length): &V4| {
        let prefix = u32::from(Ipv4Addr::new(*a, *b, *c, *d));
        (bits ^ prefix).checked_shr(32 - length).unwrap_or_default() == 0
    };
    V4_CLASSES
        .iter()
        .find(|(prefix, _)| holds(prefix))
        .map_or(Class::Public, |(_, class)| *class)
}

pub fn v6_class(address: Ipv6Addr) -> Class {
    if let Some(address) = embedded_v4(address) {
        return v4_class(address);
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => return Class::Loopback,
        [0, 0, 0, 0, 0, 0, _, _] => return Class::Unusable,
        _ => (),
    }
    let bits = u128::from(address);
    let holds = |V6(a, b, c, d, length): &V6| {
        let prefix = u128::from(Ipv6Addr::new(*a, *b, *c, *d, 0, 0, 0, 0));
        (bits ^ prefix).checked_shr(128 - length).unwrap_or_default() == 0
    };
    V6_CLASSES
        .iter()
        .find(|(prefix, _)| holds(prefix))
        .map_or(Class::Special, |(_, class)| *class)
}

/// The IPv4 address that is mapped, or reached by NAT64 or 6to4.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(join(high, low)),
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

const PRIVATE_DOMAINS: [&str; 9] = [
    "local",
    "localdomain",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
];

fn is_under(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The class of a host in a URL; none for a name whose addresses decide.
fn host_class(host: &str) -> Result<Option<Class>> {
    let host = Host::parse(host).map_err(|_| Code::AddressForbidden.because("not a host of a URL"))?;
    Ok(match host {
        Host::Ipv4(address) => Some(v4_class(address)),
        Host::Ipv6(address) => Some(v6_class(address)),
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(&name);
            ensure(!name.is_empty(), Code::AddressForbidden, "a host without a label")?;
            if is_under(name, "localhost") {
                Some(Class::Loopback)
            } else if !name.contains('.') || PRIVATE_DOMAINS.iter().any(|domain| is_under(name, domain)) {
                Some(Class::Private)
            } else {
                None
            }
        }
    })
}

/// The class of a host that a home at an address of class `home` names, unless it may not name it.
pub fn check_named(home: Class, host: &str) -> Result<Option<Class>> {
    let class = host_class(host)?;
    class.map_or(Ok(()), |class| check_address(home, class))?;
    Ok(class)
}

/// Whether a home at an address of class `home` may name an address of this class.
pub fn check_address(home: Class, class: Class) -> Result<()> {
    let allowed = class != Class::Unusable && (class == Class::Public || class == home || home == Class::Loopback);
    ensure(
        allowed,
        Code::AddressForbidden,
        "a home may not name addresses of this class",
    )
}
