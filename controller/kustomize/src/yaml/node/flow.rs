//! Lists and mappings in brackets.

use super::Node;
use super::write::{Around, Writer, set};

impl Writer {
    pub(super) fn flow_list(&mut self, node: &Node, items: &[Node], around: Around) {
        self.open_flow("[", around);
        let mut needs_comma = false;
        for item in items {
            self.note(item);
            if needs_comma {
                self.indicator(",", false, false, false);
            }
            self.write_head();
            if self.column == 0 {
                self.write_indent();
            }
            needs_comma = !self.has_comments_behind();
            self.flow_node(item, Around::FlowItem);
        }
        self.note_end(node);
        self.flow -= 1;
        self.shallow();
        if self.column == 0 {
            self.write_indent();
        }
        self.indicator("]", false, false, false);
        self.write_line();
        self.write_foot();
    }

    pub(super) fn flow_mapping(&mut self, node: &Node, entries: &[(Node, Node)], around: Around) {
        self.open_flow("{", around);
        let mut needs_comma = false;
        let mut tail = "";
        for (key, value) in entries {
            set(&mut self.tail, tail);
            set(&mut self.head, &key.head);
            set(&mut self.line, &key.line);
            tail = &key.foot;
            if needs_comma {
                self.indicator(",", false, false, false);
            }
            self.write_head();
            if self.column == 0 {
                self.write_indent();
            }
            let is_simple = key.is_simple_key();
            if !is_simple {
                self.indicator("?", true, false, false);
            }
            self.begin(key, Around::FlowKey);
            self.content(key, Around::FlowKey);
            self.note(value);
            self.indicator(":", !is_simple, false, false);
            needs_comma = !self.has_comments_behind();
            self.flow_node(value, Around::FlowValue);
        }
        set(&mut self.tail, tail);
        self.note_end(node);
        let is_commented = !(self.head.is_empty() && self.foot.is_empty() && self.tail.is_empty());
        if is_commented && needs_comma {
            self.indicator(",", false, false, false);
        }
        self.write_head();
        self.flow -= 1;
        self.shallow();
        self.indicator("}", false, false, false);
        self.write_line();
        self.write_foot();
    }

    fn open_flow(&mut self, bracket: &str, around: Around) {
        self.indicator(bracket, true, true, false);
        self.deepen(true, around == Around::Item, false);
        self.flow += 1;
    }

    fn flow_node(&mut self, node: &Node, around: Around) {
        self.begin(node, around);
        if self.has_comments_behind() {
            self.indicator(",", false, false, false);
        }
        self.write_line();
        self.write_foot();
        self.content(node, around);
    }
}
