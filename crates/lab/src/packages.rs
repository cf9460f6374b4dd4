//! What labs start and call, and which Debian package has it: pure data, so that a missing
//! program is found before a lab starts and named with its package. Names of services and
//! aliases are those that init scripts and systemd units have had over the years.

/// A service that labs start by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// The name of its unit today.
    pub name: &'static str,
    /// Other names that start it.
    pub aliases: &'static [&'static str],
    /// Where its program is; any one of them will do. None: Telaio does it itself.
    pub program: &'static [&'static str],
    /// The package that has it.
    pub package: &'static str,
}

const fn service(
    name: &'static str,
    aliases: &'static [&'static str],
    program: &'static [&'static str],
    package: &'static str,
) -> Service {
    Service {
        name,
        aliases,
        program,
        package,
    }
}

/// All services known by name.
#[rustfmt::skip]
pub const SERVICES: &[Service] = &[
    service("apache2", &["apache", "httpd"], &["/usr/sbin/apache2"], "apache2"),
    service("avahi-daemon", &["avahi"], &["/usr/sbin/avahi-daemon"], "avahi-daemon"),
    service("bird", &["bird2", "bird6"], &["/usr/sbin/bird"], "bird2"),
    service("chrony", &["chronyd"], &["/usr/sbin/chronyd"], "chrony"),
    service("conntrackd", &[], &["/usr/sbin/conntrackd"], "conntrackd"),
    service("cron", &["crond"], &["/usr/sbin/cron"], "cron"),
    service("dnsmasq", &[], &["/usr/sbin/dnsmasq"], "dnsmasq"),
    service("dovecot", &[], &["/usr/sbin/dovecot"], "dovecot-imapd"),
    service("exim4", &["exim"], &["/usr/sbin/exim4"], "exim4-daemon-light"),
    service("freeradius", &["radiusd"], &["/usr/sbin/freeradius"], "freeradius"),
    service("frr", &[], &["/usr/lib/frr/zebra"], "frr"),
    service("haproxy", &[], &["/usr/sbin/haproxy"], "haproxy"),
    service("hostapd", &[], &["/usr/sbin/hostapd"], "hostapd"),
    service("iperf3", &[], &["/usr/bin/iperf3"], "iperf3"),
    service("isc-dhcp-relay", &["dhcp3-relay", "dhcp-relay", "dhcrelay"], &["/usr/sbin/dhcrelay"], "isc-dhcp-relay"),
    service("isc-dhcp-server", &["dhcp3-server", "dhcp-server", "dhcpd", "dhcp"], &["/usr/sbin/dhcpd"], "isc-dhcp-server"),
    service("isc-dhcp-server6", &["dhcpd6"], &["/usr/sbin/dhcpd"], "isc-dhcp-server"),
    service("kea-dhcp4-server", &["kea-dhcp4"], &["/usr/sbin/kea-dhcp4"], "kea-dhcp4-server"),
    service("keepalived", &[], &["/usr/sbin/keepalived"], "keepalived"),
    service("lighttpd", &[], &["/usr/sbin/lighttpd"], "lighttpd"),
    service("mariadb", &["mysql", "mysqld"], &["/usr/sbin/mariadbd", "/usr/sbin/mysqld"], "mariadb-server"),
    service("memcached", &[], &["/usr/bin/memcached"], "memcached"),
    service("named", &["bind9", "bind"], &["/usr/sbin/named"], "bind9"),
    service("netfilter-persistent", &["iptables-persistent"], &["/usr/sbin/netfilter-persistent"], "iptables-persistent"),
    service("networking", &["network"], &[], "ifupdown"),
    service("nfs-kernel-server", &["nfs-server"], &["/usr/sbin/rpc.nfsd"], "nfs-kernel-server"),
    service("nftables", &[], &["/usr/sbin/nft"], "nftables"),
    service("nginx", &[], &["/usr/sbin/nginx"], "nginx-light"),
    service("ntpsec", &["ntp", "ntpd"], &["/usr/sbin/ntpd"], "ntpsec"),
    service("openbsd-inetd", &["inetd", "inetutils-inetd"], &["/usr/sbin/inetd"], "openbsd-inetd"),
    service("openvpn", &[], &["/usr/sbin/openvpn"], "openvpn"),
    service("openvswitch-switch", &["openvswitch", "ovs"], &["/usr/sbin/ovsdb-server"], "openvswitch-switch"),
    service("php-fpm", &["php8.2-fpm", "php7.4-fpm", "php8.4-fpm"], &["/usr/sbin/php-fpm8.2", "/usr/sbin/php-fpm8.4", "/usr/sbin/php-fpm7.4"], "php-fpm"),
    service("postfix", &[], &["/usr/sbin/postfix"], "postfix"),
    service("postgresql", &[], &["/usr/bin/pg_ctlcluster"], "postgresql"),
    service("proftpd", &[], &["/usr/sbin/proftpd"], "proftpd-core"),
    service("quagga", &["ospfd", "bgpd", "ripd"], &["/usr/lib/frr/zebra"], "frr"),
    service("radvd", &[], &["/usr/sbin/radvd"], "radvd"),
    service("redis-server", &["redis"], &["/usr/bin/redis-server"], "redis-server"),
    service("rpcbind", &["portmap"], &["/usr/sbin/rpcbind"], "rpcbind"),
    service("rsync", &[], &["/usr/bin/rsync"], "rsync"),
    service("rsyslog", &["syslog", "sysklogd"], &["/usr/sbin/rsyslogd"], "rsyslog"),
    service("smbd", &["samba"], &["/usr/sbin/smbd"], "samba"),
    service("snmpd", &[], &["/usr/sbin/snmpd"], "snmpd"),
    service("snmptrapd", &[], &["/usr/sbin/snmptrapd"], "snmptrapd"),
    service("squid", &["squid3"], &["/usr/sbin/squid"], "squid"),
    service("ssh", &["sshd"], &["/usr/sbin/sshd"], "openssh-server"),
    service("stunnel4", &["stunnel"], &["/usr/bin/stunnel4"], "stunnel4"),
    service("strongswan-starter", &["ipsec", "strongswan"], &["/usr/sbin/ipsec"], "strongswan-starter"),
    service("tftpd-hpa", &["tftpd"], &["/usr/sbin/in.tftpd"], "tftpd-hpa"),
    service("tinc", &[], &["/usr/sbin/tincd"], "tinc"),
    service("unbound", &[], &["/usr/sbin/unbound"], "unbound"),
    service("vsftpd", &[], &["/usr/sbin/vsftpd"], "vsftpd"),
    service("wg-quick", &[], &["/usr/bin/wg-quick"], "wireguard-tools"),
    service("xinetd", &[], &["/usr/sbin/xinetd"], "xinetd"),
    service("zebra", &[], &["/usr/lib/frr/zebra"], "frr"),
];

/// Commands that labs call and that a small host may lack: `(command, package)`.
#[rustfmt::skip]
pub const COMMANDS: &[(&str, &str)] = &[
    ("a2ensite", "apache2"), ("a2enmod", "apache2"), ("ab", "apache2-utils"), ("apache2ctl", "apache2"),
    ("apachectl", "apache2"), ("arp", "net-tools"), ("arping", "iputils-arping"), ("arptables", "arptables"),
    ("arpwatch", "arpwatch"), ("bc", "bc"), ("birdc", "bird2"), ("bmon", "bmon"), ("bridge", "iproute2"), ("brctl", "bridge-utils"),
    ("conntrack", "conntrack"), ("curl", "curl"), ("dhclient", "isc-dhcp-client"), ("dhcpd", "isc-dhcp-server"),
    ("dhcrelay", "isc-dhcp-relay"), ("dig", "bind9-dnsutils"), ("dnsmasq", "dnsmasq"), ("ebtables", "ebtables"),
    ("ethtool", "ethtool"), ("expect", "expect"), ("fping", "fping"), ("ftp", "tnftp"), ("gcc", "gcc"),
    ("git", "git"), ("host", "bind9-host"), ("hping3", "hping3"), ("htop", "htop"), ("htpasswd", "apache2-utils"),
    ("ifconfig", "net-tools"), ("ifdown", "ifupdown"), ("ifenslave", "ifenslave"), ("iftop", "iftop"), ("ifup", "ifupdown"),
    ("inetd", "openbsd-inetd"), ("ip", "iproute2"), ("ip6tables", "iptables"), ("iperf", "iperf"), ("iperf3", "iperf3"),
    ("ipsec", "strongswan-starter"), ("ipset", "ipset"), ("iptables", "iptables"), ("iptables-legacy", "iptables"),
    ("iptables-restore", "iptables"),
    ("ipvsadm", "ipvsadm"), ("iw", "iw"), ("jq", "jq"), ("less", "less"), ("links", "links"), ("lynx", "lynx"),
    ("mtr", "mtr-tiny"), ("mysql", "mariadb-client"), ("nano", "nano"), ("nc", "netcat-openbsd"),
    ("ndisc6", "ndisc6"), ("netstat", "net-tools"), ("nft", "nftables"), ("ngrep", "ngrep"), ("nmap", "nmap"),
    ("nslookup", "bind9-dnsutils"), ("ntpdate", "ntpsec-ntpdate"), ("nuttcp", "nuttcp"), ("openssl", "openssl"),
    ("openvpn", "openvpn"), ("ovs-ofctl", "openvswitch-switch"), ("ovs-vsctl", "openvswitch-switch"),
    ("ovs-appctl", "openvswitch-switch"), ("ovs-dpctl", "openvswitch-switch"), ("pppd", "ppp"), ("pppoe", "pppoe"),
    ("ping", "iputils-ping"), ("ping6", "iputils-ping"), ("python", "python3"), ("python3", "python3"), ("radvd", "radvd"),
    ("rdisc6", "ndisc6"), ("rndc", "bind9-utils"), ("route", "net-tools"), ("rsync", "rsync"), ("scapy", "python3-scapy"),
    ("screen", "screen"), ("snmpget", "snmp"), ("snmpset", "snmp"), ("snmpwalk", "snmp"), ("socat", "socat"), ("squid", "squid"),
    ("ss", "iproute2"), ("ssh", "openssh-client"), ("sshd", "openssh-server"), ("sshpass", "sshpass"), ("strace", "strace"), ("sysctl", "procps"),
    ("tc", "iproute2"), ("tcpdump", "tcpdump"), ("tcpreplay", "tcpreplay"), ("telnet", "inetutils-telnet"), ("tftp", "tftp-hpa"),
    ("tmux", "tmux"), ("tracepath", "iputils-tracepath"), ("traceroute", "traceroute"), ("traceroute6", "traceroute"),
    ("tshark", "tshark"), ("tunctl", "uml-utilities"), ("vconfig", "vlan"), ("vim", "vim"), ("vtysh", "frr"), ("w3m", "w3m"),
    ("wg", "wireguard-tools"), ("wg-quick", "wireguard-tools"), ("wget", "wget"), ("whois", "whois"), ("zebra", "frr"),
];

/// A service by any of its names: without `.service`, and for `openvpn@office` that of
/// `openvpn`.
pub fn service_named(name: &str) -> Option<&'static Service> {
    let name = name.strip_suffix(".service").unwrap_or(name);
    let name = name.split_once('@').map_or(name, |(template, _)| template);
    SERVICES
        .iter()
        .find(|s| s.name == name || s.aliases.contains(&name))
}

/// The package of a service or command; a command may have its folder before it.
pub fn package_of(word: &str) -> Option<&'static str> {
    if let Some(script) = word.strip_prefix("/etc/init.d/") {
        return service_named(script).map(|s| s.package);
    }
    let word = word.rsplit('/').next().unwrap_or(word);
    let command = COMMANDS.iter().find(|(name, _)| *name == word);
    command
        .map(|(_, package)| *package)
        .or_else(|| service_named(word).map(|s| s.package))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_one_service() {
        let mut seen = std::collections::HashSet::new();
        for s in SERVICES {
            for name in s.aliases.iter().chain([&s.name]) {
                assert!(seen.insert(*name), "{name} twice");
            }
        }
    }

    #[test]
    fn old_and_long_names_are_found() {
        assert_eq!(service_named("bind9.service").unwrap().name, "named");
        assert_eq!(service_named("openvpn@office").unwrap().name, "openvpn");
        assert_eq!(
            package_of("/etc/init.d/dhcp3-server"),
            Some("isc-dhcp-server")
        );
        assert_eq!(package_of("/sbin/ifconfig"), Some("net-tools"));
        assert_eq!(package_of("nothing-of-the-kind"), None);
    }
}
