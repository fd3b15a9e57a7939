use super::*;

fn id(n: u8) -> ObjectId {
    ObjectId::from_bytes([n; 20])
}

/// Commits as `(id, parents, day)`.
fn ancestry(commits: &[(u8, &[u8], i64)]) -> Ancestry {
    let step = |(n, parents, day): &(u8, &[u8], i64)| {
        let parents = parents.iter().map(|n| id(*n)).collect();
        let time = day * DAY;
        (id(*n), Step { parents, time })
    };
    Ancestry(commits.iter().map(step).collect())
}

#[test]
fn a_commit_leads_to_those_that_follow_it_by_any_parent() {
    // 1 ─ 2 ─ 4, with 3 from 1 merged into 4
    let history = ancestry(&[(1, &[], 1), (2, &[1], 2), (3, &[1], 3), (4, &[2, 3], 4)]);
    assert_eq!(history.leads_to(id(3), id(4)), Some(true));
    assert_eq!(history.leads_to(id(4), id(4)), Some(true));
    assert_eq!(history.leads_to(id(4), id(3)), Some(false));
    assert_eq!(history.leads_to(id(2), id(3)), Some(false));
}

#[test]
fn what_lies_beyond_the_known_history_is_not_decided() {
    let shallow = ancestry(&[(3, &[2], 30), (9, &[8], 30)]);
    assert_eq!(shallow.leads_to(id(9), id(3)), None);
    // The unknown parent of a commit that is older by far does not matter.
    let shallow = ancestry(&[(3, &[2], 30), (2, &[1], 5), (9, &[8], 30)]);
    assert_eq!(shallow.leads_to(id(9), id(3)), Some(false));
}

#[test]
fn a_fork_is_where_the_first_parents_left_the_trunk() {
    let history = ancestry(&[
        (1, &[], 1),
        (2, &[1], 2),
        (3, &[2], 3),
        (4, &[2], 3),
        (5, &[4], 4),
    ]);
    assert_eq!(history.fork(id(5), id(3)), Some(id(2)));
    assert_eq!(history.fork(id(2), id(3)), Some(id(2)));
    assert_eq!(
        ancestry(&[(5, &[4], 4), (3, &[2], 3)]).fork(id(5), id(3)),
        None
    );
}

#[test]
fn a_circle_ends() {
    let circle = ancestry(&[(1, &[2], 1), (2, &[1], 1), (3, &[], 1)]);
    assert_eq!(circle.leads_to(id(3), id(1)), Some(false));
    assert_eq!(circle.fork(id(1), id(3)), None);
}
