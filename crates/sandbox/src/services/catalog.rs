//! What the known services need beyond their packages' unit files, and units for those whose
//! packages have none or one that means nothing without systemd.

use std::path::Path;

use super::{bind, setup};

/// How a daemon that insists on being another user can run where there is only one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Single {
    /// It needs no help: it believes that it has become one.
    #[default]
    Believes,
    /// It looks whether it has: its user becomes another name of root.
    Alias,
    /// It refuses to be root: it runs in a user namespace in which root has that user's number,
    /// without capabilities.
    Nested(&'static str),
    /// It refuses to serve folders that it may write to: it sees these, parted by blanks, read-only.
    Locked(&'static str),
}

/// What a known service has besides its package's unit.
#[derive(Clone, Copy, Default)]
pub(super) struct Extra {
    /// Its name as `lab::packages` has it.
    pub(super) name: &'static str,
    /// The unit to use in place of the package's.
    pub(super) unit: Option<&'static str>,
    /// Users that its package's scripts would have made.
    pub(super) users: &'static [&'static str],
    /// Folders with mode and `user:group`.
    pub(super) folders: &'static [(&'static str, u32, &'static str)],
    /// Where its main process writes its number, where the package's unit does not say.
    pub(super) pidfile: Option<&'static str>,
    /// Appears once it is ready.
    pub(super) ready: Option<&'static str>,
    /// A command that says what is wrong, for a daemon that tells its reasons to a log only.
    pub(super) why: &'static [&'static str],
    /// The signal that ends it at once, where its own stop command is slow about it.
    pub(super) end: Option<i32>,
    /// What it needs in a lab of a single id.
    pub(super) single: Single,
    /// Whether a file must be made or changed before the start.
    pub(super) setup: Option<fn() -> Result<(), String>>,
}

const NONE: Extra = Extra {
    name: "",
    unit: None,
    users: &[],
    folders: &[],
    pidfile: None,
    ready: None,
    why: &[],
    end: None,
    single: Single::Believes,
    setup: None,
};

/// The extras of a service.
pub(super) fn extra(name: &str) -> Option<&'static Extra> {
    EXTRAS.iter().find(|e| e.name == name)
}

/// Whether a path is there: a program, a configuration.
pub(super) fn is_there(path: &str) -> bool {
    Path::new(path).exists()
}

const EXTRAS: &[Extra] = &[
    Extra {
        name: "apache2",
        folders: &[
            ("/run/apache2", 0o755, "root:root"),
            ("/run/lock/apache2", 0o755, "www-data:root"),
            ("/var/log/apache2", 0o755, "root:adm"),
            (
                "/var/cache/apache2/mod_cache_disk",
                0o755,
                "www-data:www-data",
            ),
        ],
        pidfile: Some("/run/apache2/apache2.pid"),
        end: Some(15),
        setup: Some(setup::apache),
        ..NONE
    },
    Extra {
        name: "avahi-daemon",
        users: &["avahi"],
        unit: Some(
            "[Unit]\nDescription=mDNS and DNS-SD\n[Service]\nType=forking\nPIDFile=/run/avahi-daemon/pid\n\
             ExecStart=/usr/sbin/avahi-daemon -D\nExecReload=/usr/sbin/avahi-daemon -r\n",
        ),
        ..NONE
    },
    Extra {
        name: "bird",
        users: &["bird"],
        folders: &[("/run/bird", 0o775, "bird:bird")],
        unit: Some(
            "[Unit]\nDescription=BIRD Internet Routing Daemon\n[Service]\nType=forking\nPIDFile=/run/bird/bird.pid\n\
             Environment=BIRD_RUN_USER=bird BIRD_RUN_GROUP=bird\nEnvironmentFile=-/etc/bird/envvars\n\
             ExecStartPre=/usr/sbin/bird -p $BIRD_ARGS\n\
             ExecStart=/usr/sbin/bird -P /run/bird/bird.pid -u ${BIRD_RUN_USER} -g ${BIRD_RUN_GROUP} $BIRD_ARGS\n\
             ExecReload=/usr/sbin/birdc configure\n",
        ),
        ready: Some("/run/bird/bird.ctl"),
        setup: Some(setup::bird),
        ..NONE
    },
    Extra {
        name: "chrony",
        users: &["_chrony"],
        folders: &[
            ("/run/chrony", 0o750, "_chrony:_chrony"),
            ("/var/lib/chrony", 0o750, "_chrony:_chrony"),
            ("/var/log/chrony", 0o750, "_chrony:_chrony"),
        ],
        // the clock is the host's: no node may set it
        unit: Some(
            "[Unit]\nDescription=chrony, an NTP client and server\n[Service]\nType=forking\n\
             PIDFile=/run/chrony/chronyd.pid\nEnvironmentFile=-/etc/default/chrony\n\
             ExecStart=/usr/sbin/chronyd -x $DAEMON_OPTS\n",
        ),
        ..NONE
    },
    Extra {
        name: "dnsmasq",
        users: &["dnsmasq"],
        folders: &[
            ("/run/dnsmasq", 0o755, "dnsmasq:root"),
            ("/var/lib/misc", 0o755, "root:root"),
        ],
        unit: Some(
            "[Unit]\nDescription=DHCP and caching DNS server\n[Service]\nType=forking\n\
             PIDFile=/run/dnsmasq/dnsmasq.pid\nEnvironmentFile=-/etc/default/dnsmasq\n\
             ExecStartPre=/usr/sbin/dnsmasq --test\n\
             ExecStart=/usr/sbin/dnsmasq -x /run/dnsmasq/dnsmasq.pid -u dnsmasq \
             -7 /etc/dnsmasq.d,.dpkg-dist,.dpkg-old,.dpkg-new --local-service $DNSMASQ_OPTS\n\
             ExecReload=/bin/kill -HUP $MAINPID\n",
        ),
        setup: Some(setup::dnsmasq),
        ..NONE
    },
    Extra {
        name: "dovecot",
        users: &["dovecot", "dovenull"],
        end: Some(15),
        setup: Some(setup::dovecot),
        ..NONE
    },
    Extra {
        name: "exim4",
        users: &["Debian-exim"],
        folders: &[
            ("/run/exim4", 0o750, "Debian-exim:Debian-exim"),
            ("/var/spool/exim4", 0o750, "Debian-exim:Debian-exim"),
            ("/var/log/exim4", 0o750, "Debian-exim:adm"),
            ("/var/lib/exim4", 0o755, "root:root"),
        ],
        unit: Some(
            "[Unit]\nDescription=exim Mail Transport Agent\n[Service]\nType=forking\nPIDFile=/run/exim4/exim.pid\n\
             EnvironmentFile=-/etc/default/exim4\nExecStartPre=-/usr/sbin/update-exim4.conf\n\
             ExecStart=/usr/sbin/exim4 -bd -q30m -oP /run/exim4/exim.pid\nExecReload=/bin/kill -HUP $MAINPID\n",
        ),
        setup: Some(setup::exim),
        ..NONE
    },
    Extra {
        name: "iperf3",
        users: &["iperf3"],
        ..NONE
    },
    Extra {
        name: "isc-dhcp-relay",
        unit: Some(
            "[Unit]\nDescription=DHCP relay\n[Service]\nType=forking\nPIDFile=/run/dhcrelay.pid\n\
             EnvironmentFile=-/etc/default/dhcp3-relay\nEnvironmentFile=-/etc/default/isc-dhcp-relay\n\
             ExecStart=/bin/sh -c 'for i in $INTERFACES; do set -- \"$@\" -i \"$i\"; done; \
             exec /usr/sbin/dhcrelay -pf /run/dhcrelay.pid $OPTIONS \"$@\" $SERVERS' dhcrelay\n",
        ),
        ..NONE
    },
    Extra {
        name: "isc-dhcp-server",
        folders: &[("/var/lib/dhcp", 0o755, "root:root")],
        unit: Some(
            "[Unit]\nDescription=DHCP server\n[Service]\nType=forking\nPIDFile=/run/dhcpd.pid\n\
             EnvironmentFile=-/etc/default/dhcp3-server\nEnvironmentFile=-/etc/default/isc-dhcp-server\n\
             ExecStart=/usr/sbin/dhcpd -4 -cf /etc/dhcp/dhcpd.conf -pf /run/dhcpd.pid $INTERFACES $INTERFACESv4\n",
        ),
        setup: Some(setup::dhcpd),
        ..NONE
    },
    Extra {
        name: "isc-dhcp-server6",
        folders: &[("/var/lib/dhcp", 0o755, "root:root")],
        unit: Some(
            "[Unit]\nDescription=DHCPv6 server\n[Service]\nType=forking\nPIDFile=/run/dhcpd6.pid\n\
             EnvironmentFile=-/etc/default/isc-dhcp-server\n\
             ExecStart=/usr/sbin/dhcpd -6 -cf /etc/dhcp/dhcpd6.conf -pf /run/dhcpd6.pid $INTERFACESv6\n",
        ),
        setup: Some(setup::dhcpd6),
        ..NONE
    },
    Extra {
        name: "keepalived",
        why: &["/usr/sbin/keepalived", "-t"],
        ..NONE
    },
    Extra {
        name: "lighttpd",
        folders: &[
            ("/var/log/lighttpd", 0o750, "www-data:www-data"),
            ("/var/cache/lighttpd", 0o750, "www-data:www-data"),
            ("/run/lighttpd", 0o750, "www-data:www-data"),
        ],
        unit: Some(
            "[Unit]\nDescription=Lighttpd web server\n[Service]\nType=forking\nPIDFile=/run/lighttpd.pid\n\
             ExecStartPre=/usr/sbin/lighttpd -tt -f /etc/lighttpd/lighttpd.conf\n\
             ExecStart=/usr/sbin/lighttpd -f /etc/lighttpd/lighttpd.conf\nExecReload=/bin/kill -USR1 $MAINPID\n",
        ),
        ..NONE
    },
    Extra {
        name: "mariadb",
        users: &["mysql"],
        folders: &[
            ("/run/mysqld", 0o755, "mysql:root"),
            ("/var/lib/mysql", 0o755, "mysql:mysql"),
            ("/var/log/mysql", 0o755, "mysql:adm"),
        ],
        single: Single::Nested("mysql"),
        setup: Some(setup::mariadb),
        ..NONE
    },
    Extra {
        name: "named",
        users: &["bind"],
        folders: &[
            ("/run/named", 0o775, "bind:bind"),
            ("/var/cache/bind", 0o775, "root:bind"),
            ("/var/lib/bind", 0o775, "root:bind"),
        ],
        why: &["/usr/bin/named-checkconf"],
        single: Single::Alias,
        setup: Some(bind::prepare),
        ..NONE
    },
    Extra {
        name: "nginx",
        folders: &[
            ("/var/log/nginx", 0o755, "www-data:adm"),
            ("/var/lib/nginx", 0o755, "root:root"),
        ],
        end: Some(15),
        ..NONE
    },
    Extra {
        name: "ntpsec",
        users: &["ntpsec"],
        folders: &[
            ("/var/log/ntpsec", 0o755, "ntpsec:ntpsec"),
            ("/var/lib/ntpsec", 0o755, "ntpsec:ntpsec"),
        ],
        unit: Some(
            "[Unit]\nDescription=Network Time Service\n[Service]\nType=forking\nPIDFile=/run/ntpd.pid\n\
             EnvironmentFile=-/etc/default/ntpsec\n\
             ExecStart=/usr/sbin/ntpd -p /run/ntpd.pid -c /etc/ntpsec/ntp.conf $NTPD_OPTS\n",
        ),
        setup: Some(setup::ntp),
        ..NONE
    },
    Extra {
        name: "openvpn",
        folders: &[("/run/openvpn", 0o755, "root:root")],
        // the plain name means every connection that is configured
        unit: Some(
            "[Unit]\nDescription=All OpenVPN connections\n[Service]\nType=oneshot\nRemainAfterExit=yes\n\
             ExecStart=/bin/sh -c 'for f in /etc/openvpn/*.conf; do [ -e \"$f\" ] || continue; f=$${f##*/}; \
             systemctl start openvpn@\"$${f%%.conf}\" || exit; done'\n\
             ExecStop=/bin/sh -c 'for f in /etc/openvpn/*.conf; do [ -e \"$f\" ] || continue; f=$${f##*/}; \
             systemctl stop openvpn@\"$${f%%.conf}\"; done'\n",
        ),
        ..NONE
    },
    Extra {
        name: "openvswitch-switch",
        folders: &[
            ("/run/openvswitch", 0o755, "root:root"),
            ("/var/log/openvswitch", 0o755, "root:root"),
            ("/var/lib/openvswitch", 0o755, "root:root"),
            ("/etc/openvswitch", 0o755, "root:root"),
        ],
        unit: Some(
            "[Unit]\nDescription=Open vSwitch\n[Service]\nType=forking\nPIDFile=/run/openvswitch/ovs-vswitchd.pid\n\
             ExecStartPre=/bin/sh -c '[ -e /etc/openvswitch/conf.db ] || exec ovsdb-tool create /etc/openvswitch/conf.db \
             /usr/share/openvswitch/vswitch.ovsschema'\n\
             ExecStartPre=/usr/sbin/ovsdb-server /etc/openvswitch/conf.db -vconsole:emer -vsyslog:off \
             --remote=punix:/run/openvswitch/db.sock --pidfile=/run/openvswitch/ovsdb-server.pid \
             --log-file=/var/log/openvswitch/ovsdb-server.log --detach\n\
             ExecStartPre=/usr/bin/ovs-vsctl --no-wait init\n\
             ExecStart=/usr/sbin/ovs-vswitchd unix:/run/openvswitch/db.sock -vconsole:emer -vsyslog:off \
             --pidfile=/run/openvswitch/ovs-vswitchd.pid --log-file=/var/log/openvswitch/ovs-vswitchd.log --detach\n\
             ExecStop=-/usr/bin/ovs-appctl -t /run/openvswitch/ovs-vswitchd.${MAINPID}.ctl exit\n\
             ExecStopPost=-/bin/sh -c 'ovs-appctl -t ovsdb-server exit; for i in $(seq 100); do \
             [ -e /run/openvswitch/ovsdb-server.pid ] || break; sleep 0.02; done'\n",
        ),
        ..NONE
    },
    Extra {
        name: "postfix",
        users: &["postfix"],
        unit: Some(
            "[Unit]\nDescription=Postfix Mail Transport Agent\n[Service]\nType=forking\n\
             PIDFile=/var/spool/postfix/pid/master.pid\nExecStart=/usr/sbin/postfix start\n\
             ExecStop=/usr/sbin/postfix stop\nExecReload=/usr/sbin/postfix reload\n",
        ),
        ..NONE
    },
    Extra {
        name: "php-fpm",
        folders: &[("/run/php", 0o755, "www-data:www-data")],
        ..NONE
    },
    Extra {
        name: "radvd",
        users: &["radvd"],
        ..NONE
    },
    Extra {
        name: "rsyslog",
        folders: &[("/var/spool/rsyslog", 0o700, "root:adm")],
        unit: Some(
            "[Unit]\nDescription=System logging\n[Service]\nType=forking\nPIDFile=/run/rsyslogd.pid\n\
             ExecStart=/usr/sbin/rsyslogd\nExecReload=/bin/kill -HUP $MAINPID\n",
        ),
        setup: Some(setup::rsyslog),
        ..NONE
    },
    Extra {
        name: "snmpd",
        users: &["Debian-snmp"],
        folders: &[("/var/lib/snmp", 0o755, "Debian-snmp:Debian-snmp")],
        ..NONE
    },
    Extra {
        name: "snmptrapd",
        users: &["Debian-snmp"],
        folders: &[("/var/lib/snmp", 0o755, "Debian-snmp:Debian-snmp")],
        ..NONE
    },
    Extra {
        name: "squid",
        end: Some(2),
        single: Single::Nested("proxy"),
        folders: &[
            ("/var/log/squid", 0o750, "proxy:proxy"),
            ("/var/spool/squid", 0o750, "proxy:proxy"),
        ],
        ..NONE
    },
    Extra {
        name: "ssh",
        users: &["sshd"],
        folders: &[("/run/sshd", 0o755, "root:root")],
        single: Single::Alias,
        setup: Some(setup::ssh),
        ..NONE
    },
    Extra {
        name: "tftpd-hpa",
        users: &["tftp"],
        folders: &[("/srv/tftp", 0o755, "tftp:tftp")],
        unit: Some(
            "[Unit]\nDescription=TFTP server\n[Service]\nType=forking\nPIDFile=/run/in.tftpd.pid\n\
             Environment=TFTP_USERNAME=tftp TFTP_DIRECTORY=/srv/tftp TFTP_ADDRESS=:69 TFTP_OPTIONS=--secure\n\
             EnvironmentFile=-/etc/default/tftpd-hpa\n\
             ExecStart=/usr/sbin/in.tftpd --listen --pidfile /run/in.tftpd.pid --user $TFTP_USERNAME \
             --address $TFTP_ADDRESS $TFTP_OPTIONS $TFTP_DIRECTORY\n",
        ),
        ..NONE
    },
    Extra {
        name: "vsftpd",
        users: &["ftp"],
        folders: &[
            ("/run/vsftpd/empty", 0o755, "root:root"),
            ("/srv/ftp", 0o755, "root:ftp"),
        ],
        single: Single::Locked("/run/vsftpd/empty /srv/ftp"),
        setup: Some(setup::vsftpd),
        ..NONE
    },
    Extra {
        name: "xinetd",
        unit: Some(
            "[Unit]\nDescription=Internet superserver\n[Service]\nType=forking\nPIDFile=/run/xinetd.pid\n\
             EnvironmentFile=-/etc/default/xinetd\nExecStart=/usr/sbin/xinetd -pidfile /run/xinetd.pid $XINETD_OPTS\n\
             ExecReload=/bin/kill -HUP $MAINPID\n",
        ),
        ..NONE
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::unit::Unit;

    #[test]
    fn every_extra_is_of_a_known_service_and_every_unit_starts_something() {
        for extra in EXTRAS {
            let service = lab::packages::service_named(extra.name).expect(extra.name);
            assert_eq!(service.name, extra.name);
            if let Some(text) = extra.unit {
                let unit = Unit::parse(extra.name, "", text);
                assert!(
                    !unit.start.is_empty() && !unit.description.is_empty(),
                    "{}",
                    extra.name
                );
            }
        }
    }
}
