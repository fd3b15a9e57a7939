//! The table of images, as Flux v1 drew it.

use serde_json::{Value, json};

use super::available::{Available, Tag};
use crate::table::Table;

/// A container and what there is for it.
pub(super) struct Row {
    pub(super) workload: String,
    pub(super) container: String,
    pub(super) available: Available,
}

impl Row {
    /// Returns the row for programs.
    pub(super) fn whole(&self) -> Value {
        let Available {
            image,
            running,
            tags,
            count,
            error,
            ..
        } = &self.available;
        let tag = |tag: &Tag| json!({"tag": tag.name, "created": created(tag)});
        json!({
            "workload": self.workload,
            "container": self.container,
            "image": image,
            "running": running,
            "count": count,
            "available": tags.iter().map(tag).collect::<Vec<_>>(),
            "error": error,
        })
    }

    /// Returns the images by their whole names.
    pub(super) fn names(&self) -> Vec<String> {
        let Available { image, tags, .. } = &self.available;
        tags.iter()
            .map(|tag| format!("{image}:{}", tag.name))
            .collect()
    }
}

fn created(tag: &Tag) -> Option<String> {
    Some(tag.created?.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// Returns the table: for each container its image, and below it the tags.
pub(super) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(vec!["WORKLOAD", "CONTAINER", "IMAGE", "CREATED"]);
    let mut last = None;
    for row in rows {
        let workload = if last == Some(&row.workload) {
            ""
        } else {
            &row.workload
        };
        last = Some(&row.workload);
        let error = row.available.error.clone().unwrap_or_default();
        let (image, container) = (row.available.image.clone(), row.container.clone());
        table.push_more(vec![workload.to_owned(), container, image, error]);
        for (name, time) in lines(&row.available) {
            table.push_more(vec![String::new(), String::new(), name, time]);
        }
    }
    table
}

/// Those above the running one are newer, and what is left out is counted.
fn lines(available: &Available) -> Vec<(String, String)> {
    let Available {
        tags,
        place,
        count,
        running,
        ..
    } = available;
    let mut lines = Vec::with_capacity(tags.len() + 2);
    for (index, tag) in tags.iter().enumerate() {
        let mark = match place {
            Some(place) if index < *place => "|  ",
            Some(place) if index == *place => "'->",
            Some(_) | None => "   ",
        };
        lines.push((
            format!("{mark} {}", tag.name),
            created(tag).unwrap_or_default(),
        ));
    }
    let omitted = |count: usize, mark: &str| {
        let plural = if count == 1 { "" } else { "s" };
        (
            format!("{mark} ({count} image{plural} omitted)"),
            String::new(),
        )
    };
    match place {
        Some(place) if *place >= tags.len() => {
            let between = place - tags.len();
            lines.extend((between > 0).then(|| omitted(between, ":  ")));
            lines.push((
                format!("'-> {}", running.as_deref().unwrap_or_default()),
                String::new(),
            ));
            let below = count.saturating_sub(place + 1);
            lines.extend((below > 0).then(|| omitted(below, "   ")));
        }
        Some(_) | None => {
            let below = count.saturating_sub(tags.len());
            lines.extend((below > 0).then(|| omitted(below, "   ")));
            // The filter leaves it out, or the registry does not have it any more.
            let running = running
                .as_ref()
                .filter(|_| place.is_none() && available.error.is_none());
            lines.extend(running.map(|tag| {
                (
                    format!("'-> {tag}"),
                    "not among the images above".to_owned(),
                )
            }));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(running: &str, shown: &[&str], all: &[&str]) -> Row {
        let created = "2026-01-01T10:00:00Z".parse().ok();
        let tag = |name: &&str| Tag {
            name: (*name).to_owned(),
            created,
        };
        let available = Available {
            image: "ghcr.io/org/web".into(),
            running: Some(running.to_owned()),
            tags: shown.iter().map(tag).collect(),
            place: all.iter().position(|tag| *tag == running),
            count: all.len(),
            error: None,
        };
        Row {
            workload: "shop:deployment/web".into(),
            container: "web".into(),
            available,
        }
    }

    #[test]
    fn the_running_image_is_marked_and_newer_ones_stand_above() {
        let all = ["1.3", "1.2", "1.1", "1.0", "0.9"];
        let rows = [
            row("1.2", &all[..3], &all),
            row("0.9", &all[..2], &all),
            row("8", &all[..1], &all),
        ];

        insta::assert_snapshot!(table(&rows).render(), @r"
        WORKLOAD              CONTAINER   IMAGE                    CREATED
        shop:deployment/web   web         ghcr.io/org/web
                                          |   1.3                  2026-01-01 10:00:00 UTC
                                          '-> 1.2                  2026-01-01 10:00:00 UTC
                                              1.1                  2026-01-01 10:00:00 UTC
                                              (2 images omitted)
                              web         ghcr.io/org/web
                                          |   1.3                  2026-01-01 10:00:00 UTC
                                          |   1.2                  2026-01-01 10:00:00 UTC
                                          :   (2 images omitted)
                                          '-> 0.9
                              web         ghcr.io/org/web
                                              1.3                  2026-01-01 10:00:00 UTC
                                              (4 images omitted)
                                          '-> 8                    not among the images above
        ");
    }

    #[test]
    fn an_error_stands_beside_the_image() {
        let mut row = row("1", &[], &[]);
        row.available.error = Some("the registry says no".into());

        insta::assert_snapshot!(table(&[row]).render(), @r"
        WORKLOAD              CONTAINER   IMAGE             CREATED
        shop:deployment/web   web         ghcr.io/org/web   the registry says no
        ");
    }
}
