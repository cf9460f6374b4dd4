//! What clients ask for, carried out.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nodes::message::{Exec, ToNode, send};
use sys::epoll::EventFlags;

use super::client::Doing;
use super::{CLIENTS, Supervisor};
use crate::proto::{Reply, Request};

/// Longest shutdown that a client may ask for, in seconds.
const LONGEST_GRACE: f64 = 3600.0;

impl Supervisor<'_> {
    pub(super) fn accept(&mut self) {
        let flags = rustix::net::SocketFlags::CLOEXEC | rustix::net::SocketFlags::NONBLOCK;
        while let Ok(stream) = rustix::net::accept_with(&self.listener, flags) {
            let number = self.clients.add(stream);
            let client = &self.clients.list[&number];
            if self.poller.add(client, CLIENTS + number).is_err() {
                self.clients.list.remove(&number);
            }
        }
    }

    pub(super) fn hear_client(&mut self, number: u64, flags: EventFlags) {
        let Some(client) = self.clients.list.get_mut(&number) else {
            return;
        };
        let alive = if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            client.read().unwrap_or(false)
        } else {
            true
        };
        while let Some(client) = self.clients.list.get_mut(&number) {
            match client.request() {
                None => break,
                Some(Ok((request, fds))) => self.obey_client(number, request, fds),
                Some(Err(message)) => {
                    self.refuse(number, message, None);
                    break;
                }
            }
        }
        if alive {
            self.flush(number);
        } else {
            self.let_go(number);
        }
    }

    fn obey_client(&mut self, number: u64, request: Request, fds: Vec<OwnedFd>) {
        match request {
            Request::Status => {
                let status = Box::new(self.status());
                self.reply_last(number, &Reply::Status(status));
            }
            Request::Lab => {
                let lab = Box::new(self.start.lab.clone());
                self.reply_last(number, &Reply::Lab(lab));
            }
            Request::Events { follow } => self.follow(number, follow),
            Request::Exec {
                node,
                argv,
                env,
                tty,
                cwd,
            } => {
                let exec = Exec {
                    id: number,
                    argv,
                    env: env.into_iter().collect(),
                    tty,
                    cwd,
                };
                self.exec(number, &node, exec, &fds);
            }
            Request::Signal { signal } => self.signal(number, signal),
            Request::Log { node } => match self.log(&node) {
                Ok(reply) => self.reply_last(number, &reply),
                Err(message) => self.refuse(number, message, None),
            },
            Request::Restart { node } => match self.index(&node) {
                Some(index) => {
                    self.set_doing(number, Doing::Waiting);
                    self.restart(index, number);
                }
                None => self.refuse_node(number, &node),
            },
            Request::Plug {
                node,
                interface,
                on,
            } => match self.plug(&node, &interface, on) {
                Ok(()) => self.reply_last(number, &Reply::Done),
                Err(message) => self.refuse(number, message, None),
            },
            Request::Capture {
                target,
                raw,
                snaplen,
            } => {
                self.capture(number, &target, raw, snaplen, fds);
            }
            Request::Down { grace } => {
                self.set_doing(number, Doing::Waiting);
                self.reply(number, &Reply::Done, Vec::new());
                self.flush(number);
                let grace = grace.clamp(0.0, LONGEST_GRACE);
                self.end(Duration::from_secs_f64(if grace.is_nan() {
                    0.0
                } else {
                    grace
                }));
            }
        }
    }

    pub(super) fn set_doing(&mut self, number: u64, doing: Doing) {
        if let Some(client) = self.clients.list.get_mut(&number) {
            client.doing = doing;
        }
    }

    /// Queues a reply; more may follow.
    pub(super) fn reply(&mut self, number: u64, reply: &Reply, fds: Vec<OwnedFd>) {
        if let Some(client) = self.clients.list.get_mut(&number) {
            client.push(reply, fds);
        }
    }

    /// Sends a reply that more follows.
    pub(super) fn reply_now(&mut self, number: u64, reply: &Reply) {
        self.reply(number, reply, Vec::new());
        self.flush(number);
    }

    /// Sends a connection's last reply.
    pub(super) fn reply_last(&mut self, number: u64, reply: &Reply) {
        self.reply(number, reply, Vec::new());
        self.set_doing(number, Doing::Leaving);
        self.flush(number);
    }

    pub(super) fn refuse(&mut self, number: u64, message: String, help: Option<String>) {
        self.reply_last(number, &Reply::Error { message, help });
    }

    fn refuse_node(&mut self, number: u64, node: &str) {
        let names: Vec<&str> = self.nodes.keys().copied().take(20).collect();
        let help = format!("its nodes: {}", names.join(", "));
        self.refuse(number, format!("this lab has no node `{node}`"), Some(help));
    }

    pub(super) fn flush(&mut self, number: u64) {
        let Some(client) = self.clients.list.get_mut(&number) else {
            return;
        };
        if !client.flush(&self.poller, CLIENTS + number) {
            self.let_go(number);
        }
    }

    /// Forgets a connection; what it was busy with ends.
    fn let_go(&mut self, number: u64) {
        let Some(client) = self.clients.list.remove(&number) else {
            return;
        };
        let _ = self.poller.remove(&client);
        match client.doing {
            Doing::Running { node, id } => self.tell(node, &ToNode::Hangup { id }),
            Doing::Capturing(id) => self.captures.stop(id),
            _ => {}
        }
    }

    fn follow(&mut self, number: u64, follow: bool) {
        self.set_doing(number, Doing::Following(0));
        self.send_events(number);
        if !follow {
            self.set_doing(number, Doing::Leaving);
        }
        self.flush(number);
    }

    fn send_events(&mut self, number: u64) {
        let Some(client) = self.clients.list.get_mut(&number) else {
            return;
        };
        let Doing::Following(from) = client.doing else {
            return;
        };
        for event in self.events.since(from) {
            client.push(&Reply::Event(event.clone()), Vec::new());
        }
        client.doing = Doing::Following(self.events.count());
    }

    /// Sends new events to whoever follows them.
    pub(super) fn flush_events(&mut self) {
        let count = self.events.count();
        let behind = |(number, client): (&u64, &super::client::Client)| match client.doing {
            Doing::Following(from) if from < count => Some(*number),
            _ => None,
        };
        let behind: Vec<u64> = self.clients.list.iter().filter_map(behind).collect();
        for number in behind {
            self.send_events(number);
            self.flush(number);
        }
    }

    fn exec(&mut self, number: u64, node: &str, exec: Exec, fds: &[OwnedFd]) {
        let Some(index) = self.index(node) else {
            return self.refuse_node(number, node);
        };
        let runtime = &self.nodes[index];
        let process = match &runtime.process {
            Some(process) if runtime.rooted => process,
            Some(_) => return self.refuse(number, format!("`{node}` is still being made"), None),
            None => {
                let help = format!("start it: telaio restart {node}");
                return self.refuse(number, format!("`{node}` does not run"), Some(help));
            }
        };
        let borrowed: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
        match send(&process.socket, &ToNode::Exec(Box::new(exec)), &borrowed) {
            Ok(()) => self.set_doing(
                number,
                Doing::Running {
                    node: index,
                    id: number,
                },
            ),
            Err(e) => self.refuse(
                number,
                format!("`{node}` does not take the command: {e}"),
                None,
            ),
        }
    }

    fn signal(&mut self, number: u64, signal: i32) {
        let doing = self.clients.list.get(&number).map(|c| &c.doing);
        if let Some(Doing::Running { node, id }) = doing {
            let (node, id) = (*node, *id);
            self.tell(node, &ToNode::Signal { id, signal });
        }
    }

    /// A command's number is that of the connection that asked for it.
    pub(super) fn command_started(&mut self, id: u64, pid: i32, fds: Vec<OwnedFd>) {
        self.reply(id, &Reply::Started { pid }, fds);
        self.flush(id);
    }

    pub(super) fn command_refused(&mut self, id: u64, status: i32, message: &str) {
        let reply = Reply::Refused {
            status,
            message: message.into(),
        };
        self.finish_command(id, &reply);
    }

    pub(super) fn command_ended(&mut self, id: u64, status: i32) {
        self.finish_command(id, &Reply::Exited { status });
    }

    fn finish_command(&mut self, id: u64, reply: &Reply) {
        // a node may name any number: only one that runs a command is answered
        let doing = self.clients.list.get(&id).map(|c| &c.doing);
        if matches!(doing, Some(Doing::Running { .. })) {
            self.reply_last(id, reply);
        }
    }

    /// A node ended with the commands in it.
    pub(super) fn commands_lost(&mut self, index: usize) {
        let lost = |(number, client): (&u64, &super::client::Client)| match client.doing {
            Doing::Running { node, .. } if node == index => Some(*number),
            _ => None,
        };
        let lost: Vec<u64> = self.clients.list.iter().filter_map(lost).collect();
        for number in lost {
            self.reply_last(number, &Reply::Exited { status: 137 });
        }
    }
}
