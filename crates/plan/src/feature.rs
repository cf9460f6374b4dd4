//! Names of kernel features that labs use.

use serde::Serialize;

/// Makes the enum and its table from one list: variant, name, what it is, kernel module.
macro_rules! features {
    ($($variant:ident $name:literal $what:literal $module:literal;)*) => {
        /// A feature that a kernel has or lacks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(into = "&'static str")]
        pub enum Feature {
            $(#[doc = $what] $variant,)*
        }

        impl Feature {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name, as `up --without` takes it and `doctor` shows it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it is, in a few words.
            pub fn what(self) -> &'static str {
                match self { $(Self::$variant => $what,)* }
            }

            /// The kernel module that brings it.
            pub fn module(self) -> &'static str {
                match self { $(Self::$variant => $module,)* }
            }
        }
    };
}

features! {
    Bond "bond" "bonded interfaces" "bonding";
    Bridge "bridge" "bridges" "bridge";
    VlanFiltering "vlan-filtering" "VLAN filtering in bridges" "bridge";
    Dummy "dummy" "dummy interfaces" "dummy";
    Geneve "geneve" "GENEVE tunnels" "geneve";
    Gre "gre" "GRE tunnels" "ip_gre";
    Hsr "hsr" "HSR and PRP rings" "hsr";
    Ifb "ifb" "intermediate functional blocks" "ifb";
    Ip6gre "ip6gre" "GRE tunnels over IPv6" "ip6_gre";
    Ip6tnl "ip6tnl" "tunnels over IPv6" "ip6_tunnel";
    Ipip "ipip" "IP-in-IP tunnels" "ipip";
    Ipvlan "ipvlan" "IPVLAN interfaces" "ipvlan";
    Macsec "macsec" "MACsec interfaces" "macsec";
    Macvlan "macvlan" "MACVLAN interfaces" "macvlan";
    Sit "sit" "IPv6-in-IPv4 tunnels" "sit";
    Team "team" "teamed interfaces" "team";
    Tun "tun" "TUN and TAP interfaces" "tun";
    Veth "veth" "virtual Ethernet pairs" "veth";
    Vlan "vlan" "VLAN interfaces" "8021q";
    Vrf "vrf" "VRF interfaces" "vrf";
    Vti "vti" "virtual tunnel interfaces" "ip_vti";
    Vxlan "vxlan" "VXLAN tunnels" "vxlan";
    Wireguard "wireguard" "WireGuard interfaces" "wireguard";
    Cake "cake" "the CAKE queue" "sch_cake";
    Codel "codel" "the CoDel queue" "sch_codel";
    FqCodel "fq_codel" "the FQ-CoDel queue" "sch_fq_codel";
    Hfsc "hfsc" "the HFSC queue" "sch_hfsc";
    Htb "htb" "hierarchical token buckets" "sch_htb";
    Ingress "ingress" "filtering of incoming packets" "sch_ingress";
    Netem "netem" "network emulation (delay, loss and the like)" "sch_netem";
    Prio "prio" "the priority queue" "sch_prio";
    Red "red" "the RED queue" "sch_red";
    Sfq "sfq" "stochastic fair queues" "sch_sfq";
    Tbf "tbf" "token bucket filters" "sch_tbf";
    ClsBpf "cls_bpf" "eBPF traffic filters" "cls_bpf";
    Flower "flower" "flow-based traffic filters" "cls_flower";
    Fw "fw" "traffic filters by mark" "cls_fw";
    Matchall "matchall" "match-all traffic filters" "cls_matchall";
    U32 "u32" "u32 traffic filters" "cls_u32";
    Mirred "mirred" "redirection of packets" "act_mirred";
    Iptables "iptables" "packet filtering for iptables" "nft_compat";
    IptablesLegacy "iptables-legacy" "packet filtering for iptables-legacy" "ip_tables";
    Nftables "nftables" "packet filtering by nftables" "nf_tables";
    Ipv6 "ipv6" "IPv6" "ipv6";
    Mpls "mpls" "MPLS routing" "mpls_router";
    Srv6 "srv6" "segment routing over IPv6" "ipv6";
    Xfrm "xfrm" "IPsec" "xfrm_user";
    MulticastRouting "mroute" "multicast routing" "ip_mroute";
}

impl From<Feature> for &'static str {
    fn from(feature: Feature) -> Self {
        feature.name()
    }
}

impl std::fmt::Display for Feature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Feature {
    type Err = UnknownFeature;

    fn from_str(text: &str) -> Result<Self, UnknownFeature> {
        let found = Self::ALL.iter().find(|f| f.name() == text);
        found.copied().ok_or(UnknownFeature)
    }
}

/// No feature has that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownFeature;

impl std::fmt::Display for UnknownFeature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = Feature::ALL.iter().map(|f| f.name()).collect();
        write!(
            f,
            "no kernel feature has this name; there are {}",
            names.join(", ")
        )
    }
}

impl std::error::Error for UnknownFeature {}

impl Feature {
    /// The kernel option that decides over it, where it is part of something that no module
    /// brings alone.
    pub fn option(self) -> Option<&'static str> {
        Some(match self {
            Self::VlanFiltering => "CONFIG_BRIDGE_VLAN_FILTERING",
            Self::Srv6 => "CONFIG_IPV6_SEG6_LWTUNNEL",
            Self::MulticastRouting => "CONFIG_IP_MROUTE",
            _ => return None,
        })
    }

    /// The feature that an `ip link add … type KIND` needs.
    pub fn of_link(kind: &str) -> Option<Self> {
        Some(match kind {
            "gretap" | "erspan" => Self::Gre,
            "ip6gretap" | "ip6erspan" => Self::Ip6gre,
            "macvtap" => Self::Macvlan,
            "ipvtap" => Self::Ipvlan,
            "vti6" => Self::Vti,
            "bond" | "bridge" | "dummy" | "geneve" | "gre" | "hsr" | "ifb" | "ip6gre"
            | "ip6tnl" | "ipip" | "ipvlan" | "macsec" | "macvlan" | "sit" | "team" | "veth"
            | "vlan" | "vrf" | "vti" | "vxlan" | "wireguard" => kind.parse().ok()?,
            _ => return None,
        })
    }

    /// The feature that an `ip tunnel add … mode MODE` needs.
    pub fn of_tunnel(mode: &str) -> Option<Self> {
        Some(match mode {
            "ipip" | "ip/ip" | "ipv4/ipv4" => Self::Ipip,
            "gre" | "gre/ip" => Self::Gre,
            "sit" | "ipv6/ip" | "isatap" => Self::Sit,
            "vti" | "vti6" => Self::Vti,
            "ip6gre" | "gre/ipv6" => Self::Ip6gre,
            "ip6ip6" | "ipip6" | "ip/ipv6" | "ipv6/ipv6" | "ipv4/ipv6" | "any" => Self::Ip6tnl,
            _ => return None,
        })
    }

    /// The feature that a queueing discipline needs.
    pub fn of_queue(kind: &str) -> Option<Self> {
        Some(match kind {
            "clsact" | "ingress" => Self::Ingress,
            "cake" | "codel" | "fq_codel" | "hfsc" | "htb" | "netem" | "prio" | "red" | "sfq"
            | "tbf" => kind.parse().ok()?,
            _ => return None,
        })
    }

    /// The feature that a traffic filter needs.
    pub fn of_filter(kind: &str) -> Option<Self> {
        Some(match kind {
            "bpf" => Self::ClsBpf,
            "flower" | "fw" | "matchall" | "u32" => kind.parse().ok()?,
            _ => return None,
        })
    }

    /// The feature that a kernel module brings.
    pub fn of_module(module: &str) -> Option<Self> {
        let name = module.replace('-', "_");
        match name.as_str() {
            "mpls_iptunnel" | "mpls_gso" => Some(Self::Mpls),
            "macvtap" => Some(Self::Macvlan),
            "br_netfilter" => Some(Self::Bridge),
            "iptable_nat" | "iptable_filter" | "iptable_mangle" => Some(Self::Iptables),
            // names of two features' modules: the plainer one
            "bridge" => Some(Self::Bridge),
            "ipv6" => Some(Self::Ipv6),
            _ => Self::ALL.iter().find(|f| f.module() == name).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for feature in Feature::ALL {
            assert_eq!(feature.name().parse(), Ok(*feature));
        }
        assert!("nonsense".parse::<Feature>().is_err());
    }

    #[test]
    fn words_of_the_tools_are_known() {
        assert_eq!(Feature::of_link("gretap"), Some(Feature::Gre));
        assert_eq!(Feature::of_link("netem"), None);
        assert_eq!(Feature::of_queue("netem"), Some(Feature::Netem));
        assert_eq!(Feature::of_module("8021q"), Some(Feature::Vlan));
        assert_eq!(Feature::of_module("sch_netem"), Some(Feature::Netem));
        assert_eq!(Feature::of_tunnel("ipip"), Some(Feature::Ipip));
    }
}
