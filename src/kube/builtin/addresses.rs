//! Addresses that traffic goes to, and networks within networks.

use crate::kube::formats::{Reason, lenient_ip, lenient_network};
use crate::kube::{Causes, Field};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address that traffic can go to: not the machine itself, and not only the link.
pub(super) fn check_endpoint(field: Field<'_, '_>, causes: &mut Causes) {
    let Some(address) = lenient_ip(field.text()) else {
        causes.invalid(field, format!("`{}` is no IP address", field.text()));
        return;
    };
    // An IPv4 address in the clothes of an IPv6 one is what it stands for.
    let address = address.to_canonical();
    let (local, multicast) = match address {
        IpAddr::V4(address) => (address.is_link_local(), address.octets()[..3] == [224, 0, 0]),
        IpAddr::V6(address) => (address.is_unicast_link_local(), address.segments()[0] & 0xff0f == 0xff02),
    };
    let fault = if address.is_unspecified() {
        "stands for no address"
    } else if address.is_loopback() {
        "is a loopback address"
    } else if local {
        "is a link-local address"
    } else if multicast {
        "is a link-local multicast address"
    } else {
        return;
    };
    causes.invalid(field, format!("`{}` {fault}", field.text()));
}

/// Whether the network `part` is a smaller part of the network `whole`.
pub(super) fn holds(whole: (IpAddr, u8), part: (IpAddr, u8)) -> bool {
    whole.0.is_ipv4() == part.0.is_ipv4()
        && whole.1 < part.1
        && masked(whole.0, whole.1) == masked(masked(part.0, part.1), whole.1)
}

/// A network of a new field: no leading zeros, no bits beyond the mask.
pub(super) fn canonical_network(text: &str) -> Result<(), Reason> {
    let Some(network) = lenient_network(text) else { return Err("is no network like `10.9.8.0/24`") };
    if format!("{}/{}", masked(network.0, network.1), network.1) == text {
        Ok(())
    } else {
        Err("is not in its canonical form")
    }
}

fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits.into())).unwrap_or(0);
            Ipv4Addr::from(u32::from(address) & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits.into())).unwrap_or(0);
            Ipv6Addr::from(u128::from(address) & mask).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_parts() {
        let network = |text| lenient_network(text).expect("a network");
        assert!(holds(network("10.0.0.1/8"), network("010.1.0.0/16")));
        assert!(!holds(network("10.0.0.0/8"), network("10.0.0.0/8")));
        assert!(!holds(network("10.0.0.0/8"), network("11.0.0.0/16")));
        assert!(!holds(network("::/0"), network("10.0.0.0/8")));
        assert!(holds(network("0.0.0.0/0"), network("10.0.0.0/8")));
    }
}
