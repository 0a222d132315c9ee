//! What the pages say, in each language: a text that lacks one does not compile.

/// The texts of a language.
#[derive(Debug)]
pub(in crate::web) struct Words {
    /// As HTML names the language.
    pub(in crate::web) lang: &'static str,
    pub(in crate::web) texts: Texts,
}

macro_rules! texts {
    ($($name:ident: $english:literal, $chinese:literal;)+) => {
        /// Each text by its name.
        #[derive(Debug)]
        pub(in crate::web) struct Texts {
            $(pub(in crate::web) $name: &'static str,)+
        }

        /// English.
        pub(in crate::web) static ENGLISH: Words =
            Words { lang: "en", texts: Texts { $($name: $english,)+ } };

        /// Chinese.
        pub(in crate::web) static CHINESE: Words =
            Words { lang: "zh-CN", texts: Texts { $($name: $chinese,)+ } };
    };
}

texts! {
    product: "Scheduler", "调度器";
    skip: "Skip to content", "跳到正文";
    environment: "Environment", "环境";
    main_nav: "Main", "主导航";
    overview: "Overview", "总览";
    tasks: "Tasks", "任务";
    executions: "Executions", "执行记录";
    nodes: "Nodes", "节点";
    history: "History", "变更历史";
    alarms: "Alarms", "告警";
    alarms_explained: "What nodes found to be wrong, as the channels are told; kept for 30 days.", "各节点发现的问题，与告警渠道收到的一致，保留 30 天。";
    goes_on: "Now", "当前";
    before: "Before", "此前";
    rule: "Rule", "规则";
    rules: "Rules", "规则";
    about: "About", "对象";
    times: "Times", "次数";
    began: "Began", "开始";
    over: "Over", "结束";
    last_sign: "Last sign", "最近一次";
    channels: "Channels of this node", "本节点的告警渠道";
    no_channel: "Nobody is told: see [alarms.channels] in common.toml.", "未配置告警渠道，见 common.toml 的 [alarms.channels]。";
    kind: "Kind", "类型";
    arrived: "Arrived last", "最近送达";
    not_arrived: "Did not arrive", "未送达";
    untold: "alarms wait", "条待发送";
    load: "Load", "负载";
    skew: "Clock ahead", "时钟超前";
    jobs: "Jobs", "作业";
    waiting: "waiting", "等待中";
    unrecorded: "unrecorded", "未记录";
    claims_nothing: "Claims nothing:", "不领取任务：";
    forecast: "Forecast", "预测";
    forecast_explained: "The next 24 hours by the triggers of what is enabled now.", "按当前启用任务的触发器推算未来 24 小时。";
    forecast_in_part: "There are too many tasks: some are left out.", "任务过多，部分未计入。";
    by_minute: "Fires in each minute", "每分钟触发次数";
    busiest: "Busiest minutes", "最繁忙的分钟";
    fires: "fires", "次触发";
    how_often: "Fires", "触发次数";
    day_in_outcomes: "The last 24 hours", "最近 24 小时";
    counted_since: "counted since", "统计始于";
    late_tasks: "Late", "延误";
    late_explained: "was due", "应于";
    parameters: "Parameters", "参数";
    body: "Body", "请求体";
    answers: "Answers", "应答";
    theme: "Switch between light and dark", "切换明暗";
    role: "Role", "角色";
    log_in: "Log in", "登录";
    log_out: "Log out", "退出登录";
    name: "Name", "用户名";
    password: "Password", "密码";
    wrong_login: "Name or password is wrong.", "用户名或密码错误。";
    too_often: "Tried too often. Wait a minute.", "尝试次数过多，请一分钟后再试。";
    crowd: "Many are logging in just now. Try again in a moment.", "现在登录的人太多，请稍后再试。";
    link_is_gone: "This link was followed already, or is older than 10 minutes. Make another with “scheduler login”.", "此链接已被使用或已超过 10 分钟，请运行“scheduler login”重新生成。";
    how_to_log_in: "No user is configured. Run “scheduler login” where the scheduler is installed: it prints a link.", "尚未配置用户。请在安装调度器的机器上运行“scheduler login”获取登录链接。";
    as_of: "As of", "截至";
    node: "Node", "节点";
    all: "All", "全部";
    enabled: "Enabled", "启用";
    disabled: "Disabled", "停用";
    rejected: "Rejected", "被拒绝";
    job: "Job", "作业";
    any_job: "Any job", "全部作业";
    filter: "Filter", "筛选";
    filter_tasks: "Filter tasks", "筛选任务";
    filter_executions: "Filter executions", "筛选执行记录";
    filter_edits: "Filter changes", "筛选变更";
    filter_lines: "Find in lines", "筛选日志行";
    all_levels: "All levels", "全部级别";
    from_warnings: "Warnings and errors", "警告与错误";
    only_errors: "Errors only", "仅错误";
    download: "Download", "下载";
    asked_to_end: "Asked to end by", "请求取消者：";
    ends_soon: "The node that runs it obeys at its next reading.", "运行它的节点下次读取时执行。";
    pause_for: "For", "时长";
    until_enabled: "until somebody enables it", "直到有人启用";
    next_if_saved: "Next instants if saved", "保存后的接下来几次";
    contents: "Contents", "目录";
    key_or_id: "Key or id", "键名或 ID";
    instants_of_it: "instants", "个时刻";
    channel: "Channel", "通道";
    colon: ": ", "：";
    period: ". ", "。";
    from: "Recorded from", "记录时间自";
    up_to: "Recorded before", "记录时间早于";
    search: "Search key or description", "搜索键名或描述";
    new_task: "New task", "新建任务";
    task: "Task", "任务";
    state: "State", "状态";
    schedule: "Schedule", "计划";
    next: "Next", "下次";
    last: "Last", "上次";
    runs: "Last 60 runs", "最近 60 次";
    actions: "Actions", "操作";
    select: "Select", "选择";
    select_all: "Select all on this page", "全选本页";
    selected: "selected", "项已选";
    selected_tasks: "Selected tasks", "已选任务";
    run: "Run", "运行";
    run_now: "Run now", "立即运行";
    cancel_run: "Cancel this run", "取消本次运行";
    run_again: "Run again", "再次运行";
    enable: "Enable", "启用";
    disable: "Disable", "停用";
    edit: "Edit", "编辑";
    delete: "Delete", "删除";
    cancel: "Cancel", "取消";
    next_page: "Next page", "下一页";
    first_page: "First page", "第一页";
    pages: "Pages", "分页";
    never: "never", "不再执行";
    no_task: "No task matches.", "没有符合条件的任务。";
    no_execution: "No execution matches.", "没有符合条件的执行记录。";
    never_ran: "It has not run yet.", "尚未运行。";
    no_edit: "No edit is kept.", "没有变更记录。";
    breadcrumb: "Breadcrumb", "路径";
    instants: "Next ten instants", "接下来十次";
    moved: "moved: does not exist on that day:", "已顺延，当天不存在：";
    duration: "Duration", "耗时";
    latest: "Latest executions", "最近执行";
    all_of_task: "All of this task", "此任务的全部记录";
    facts: "Details", "详情";
    args: "Arguments", "参数";
    takes: "This job takes", "该作业接受";
    trigger: "Trigger", "触发器";
    zone: "Zone", "时区";
    extra: "Extra", "附加设置";
    row: "Row id", "行 ID";
    edits: "Edits", "变更";
    other_attempts: "Other attempts", "其他尝试";
    ask_why: "Why did it not run at …?", "某一时刻为何没有运行？";
    instant: "Instant", "时刻";
    notes: "Recorded", "记录内容";
    recorded_at: "Recorded at", "记录于";
    log_in_beside: "You are logged out. Log in in another tab, then send this again: nothing you wrote is lost.", "您已退出登录。请在另一个标签页登录后再次提交，已填写的内容不会丢失。";
    is_silent: "The server does not answer. Nothing you wrote is lost: try again.", "服务器无响应。已填写的内容不会丢失，请重试。";
    failing: "Failing", "失败未恢复";
    all_matching: "All that match:", "全部符合条件的：";
    search_tasks: "Search tasks", "搜索任务";
    no_line: "No line matches.", "没有符合条件的行。";
    reason: "Reason", "原因";
    why_not: "Why?", "为什么？";
    why: "Why", "原因";
    status: "Status", "状态";
    scheduled: "Scheduled", "计划时间";
    claimed: "Claimed", "领取";
    started: "Started", "开始";
    finished: "Finished", "结束";
    attempt: "Attempt", "第几次";
    source: "Source", "来源";
    note: "Note", "说明";
    execution: "Execution", "执行";
    timeline: "Timeline", "时间线";
    log: "Log", "日志";
    no_log: "Nothing was logged.", "没有日志。";
    trace: "Trace id", "跟踪号";
    heartbeat: "Heartbeat", "心跳";
    since: "Since", "启动于";
    when: "When", "时间";
    who: "Who", "操作人";
    via: "Via", "途径";
    change: "Change", "变更";
    created: "created", "新建";
    deleted: "deleted", "删除";
    found: "first seen", "首次发现";
    asked_to_run: "asked to run", "请求运行";
    empty: "(empty)", "（空）";
    run_question: "Run it now?", "现在运行？";
    run_explained: "It starts as soon as a node takes it. The schedule stays as it is.", "节点领取后立即开始，原计划不变。";
    run_args: "For this run only; the row keeps its own.", "仅用于本次运行，行中的参数不变。";
    waits: "Waits to run", "等待运行";
    asked_for_at: "asked for at", "请求于";
    retry_of: "again for", "重试，原计划时间";
    not_before: "not before", "不早于";
    pause: "Pause", "暂停";
    paused: "Paused", "已暂停";
    until: "until", "直到";
    pause_over: "Pause ended", "暂停结束";
    until_label: "Or until", "或直到";
    until_hint: "Counts where it is given.", "填写后以此为准。";
    pause_question: "Pause it?", "暂停此任务？";
    pause_explained: "Nothing of it starts meanwhile, and what would have is not made up for.", "暂停期间不会启动，之后也不会补跑。";
    restore: "Restore…", "恢复…";
    your_changes: "What you wrote, not saved", "您填写的内容（未保存）";
    restored_from: "Filled with an earlier version. Nothing is saved yet.", "已填入较早版本，尚未保存。";
    delete_question: "Delete it?", "确定删除？";
    delete_explained: "Rows are removed, their executions stay.", "删除任务行，执行记录保留。";
    edit_task: "Edit task", "编辑任务";
    description: "Description", "描述";
    key: "Key", "键名";
    key_hint: "Must be unique.", "不可与其他任务重复。";
    spec: "Spec", "表达式";
    spec_hint: "cron: minute hour day month weekday, or with seconds in front. date: 2026-12-24 18:00:00. interval: 90s, 5m.", "cron：分 时 日 月 周，前面可加秒。date：2026-12-24 18:00:00。interval：90s、5m。";
    extra_hint: "A JSON object: timezone, timeout, retries, and others.", "JSON 对象：timezone、timeout、retries 等。";
    preview: "Preview", "预览";
    preview_hint: "follows what you type", "随输入更新";
    review: "Review changes", "查看变更";
    review_title: "Review changes", "确认变更";
    unknown_job: "unknown", "未知";
    field: "Field", "字段";
    yes: "yes", "是";
    no: "no", "否";
    old: "Old", "原值";
    new: "New", "新值";
    save: "Save", "保存";
    create: "Create", "创建";
    back: "Back to the form", "返回表单";
    nothing_changed: "Nothing is changed.", "没有变更。";
    edited_meanwhile: "Somebody else has edited this task meanwhile. Below it is as it stands now; your changes are not saved.", "该任务已被他人修改。下面是当前内容，您的修改尚未保存。";
    needs_correction: "It is not saved.", "未保存。";
    everything_runs: "Everything runs", "一切正常";
    needs_you: "Something needs you", "需要处理";
    is_not_ready: "This node claims nothing now:", "本节点目前不领取任务：";
    running: "Running now", "正在运行";
    failed_lately: "Failed lately", "最近失败";
    rejected_rows: "Rejected rows", "被拒绝的行";
    next_to_run: "Next to run", "即将运行";
    none: "None.", "无。";
    nodes_explained: "A node that does not renew its lease in time is lost, and what it ran is recorded so.", "未按时续约的节点视为失联，其运行中的执行记为丢失。";
    history_explained: "Every change to a task: who made it, when, and by which way. Edits by SQL are noticed and recorded, too.", "每次任务变更：何人、何时、何种途径。直接用 SQL 的修改也会被发现并记录。";
    not_found: "There is nothing here.", "这里什么也没有。";
    refused: "This was not done.", "未执行。";
    go_back: "Back", "返回";
    stale: "Not up to date: the server does not answer, or you are logged out. Last seen", "未更新：服务器无响应或已退出登录。最后更新";
    broken_extra: "Extra is no JSON object.", "附加设置不是 JSON 对象。";
    to_overview: "To the overview", "返回总览";
    done: "Done.", "已完成。";
    did_run: "It is asked for, and starts as soon as a node takes it.", "已请求运行，节点领取后即开始。";
    did_enable: "Enabled.", "已启用。";
    did_disable: "Disabled.", "已停用。";
    did_delete: "Deleted.", "已删除。";
    did_pause: "Paused.", "已暂停。";
    did_save: "Saved.", "已保存。";
    did_cancel: "It is asked to end. The node that runs it obeys at its next reading.", "已请求取消，运行它的节点下次读取时执行。";
    now: "now", "现在";
    runs_for: "for", "已运行";
    nothing_yet: "Nothing is logged yet.", "暂无日志。";
    all_tasks: "Of all tasks", "全部任务";
    recovered: "succeeded since", "之后已成功";
    times_failed: "times", "次";
    keep_failing: "Failed, and did not succeed since", "失败后尚未成功";
    are_rejected: "Rejected", "被拒绝";
    are_late: "Late", "延误";
    are_alarms: "Alarms", "告警";
}

impl Words {
    /// A state of a task, a node or an execution.
    pub(in crate::web) fn status<'a>(&self, name: &'a str) -> &'a str {
        let both = |english, chinese| if self.lang == "en" { english } else { chinese };
        match name {
            "enabled" => both("Enabled", "启用"),
            "disabled" => both("Disabled", "停用"),
            "paused" => both("Paused", "已暂停"),
            "rejected" => both("Rejected", "被拒绝"),
            "todo" => both("Running", "运行中"),
            "success" => both("Success", "成功"),
            "fail" => both("Failed", "失败"),
            "timeout" => both("Timed out", "超时"),
            "lost" => both("Lost", "丢失"),
            "cancelled" => both("Cancelled", "已取消"),
            "missed" => both("Missed", "错过"),
            "skipped" => both("Skipped", "跳过"),
            "not_due" => both("Not due", "无此时刻"),
            "not_yet" => both("Not yet", "尚未到时"),
            "waiting" => both("Waits its turn", "排队等待"),
            "overdue" => both("Overdue", "逾期"),
            "removed" => both("Its record was removed", "记录已清除"),
            "younger" => both("Before its time", "任务创建之前"),
            "edited_since" => both("Edited since", "之后被修改"),
            "gone" => both("Deleted", "已删除"),
            "alive" => both("Alive", "在线"),
            "left" => both("Stopped", "已停止"),
            "silent" => both("Lost", "失联"),
            other => other,
        }
    }

    /// What asked for an execution, or by which way an edit came.
    pub(in crate::web) fn way<'a>(&self, name: &'a str) -> &'a str {
        match (self.lang, name) {
            ("en", "program") => "scheduler",
            ("en", "external") => "external SQL",
            ("en", name) => name,
            (_, "schedule") => "计划",
            (_, "manual") => "手动",
            (_, "retry") => "重试",
            (_, "page") => "页面",
            (_, "external") => "外部 SQL",
            (_, "cli") => "命令行",
            (_, "api") => "API",
            (_, "program") => "调度器",
            (_, name) => name,
        }
    }

    /// A kind of alarm, by its name in the configuration.
    pub(in crate::web) fn rule(&self, name: &str) -> &'static str {
        let both = |english, chinese| if self.lang == "en" { english } else { chinese };
        match name {
            "database" => both("Database in trouble", "数据库异常"),
            "clock" => both("Clock is off", "时钟偏差"),
            "node_lost" => both("Node lost", "节点失联"),
            "overdue" => both("Overdue", "逾期未执行"),
            "failing" => both("Keeps failing", "连续失败"),
            "failed" => both("Failed", "失败"),
            "missed" => both("Missed", "错过"),
            "late" => both("Late", "延误"),
            "slow" => both("Slow", "耗时过长"),
            "skipped" => both("Skipped", "跳过"),
            "rejected" => both("Row rejected", "行被拒绝"),
            _ => both("Other", "其他"),
        }
    }

    /// So many tasks.
    pub(in crate::web) fn tasks(&self, count: usize) -> String {
        match (self.lang, count) {
            ("en", 1) => "1 task".to_owned(),
            ("en", _) => format!("{count} tasks"),
            _ => format!("{count} 个任务"),
        }
    }

    /// With so many something was done, and so many were so before.
    pub(in crate::web) fn done_with(&self, done: usize, unchanged: usize) -> String {
        let done = self.tasks(done);
        match (self.lang, unchanged) {
            (_, 0) => done,
            ("en", 1) => format!("{done}, 1 was so before"),
            ("en", _) => format!("{done}, {unchanged} were so before"),
            _ => format!("{done}，{unchanged} 个此前已是如此"),
        }
    }

    /// Whether it is to be done with so many tasks.
    pub(in crate::web) fn question(&self, act: &str, count: usize) -> String {
        let tasks = self.tasks(count);
        if self.lang == "en" {
            format!("{act} {tasks}?")
        } else {
            format!("确定{act} {tasks}？")
        }
    }

    /// A number of seconds, in its largest unit.
    pub(in crate::web) fn span(&self, seconds: i64) -> String {
        let unit = match seconds {
            ..60 => 1,
            60..3_600 => 60,
            3_600..172_800 => 3_600,
            172_800.. => 86_400,
        };
        self.whole(seconds, unit)
    }

    /// The whole units of so many seconds in a number of seconds.
    pub(in crate::web) fn whole(&self, seconds: i64, unit: i64) -> String {
        let (english, chinese) = match unit {
            1 => ("s", "秒"),
            60 => ("min", "分钟"),
            3_600 => ("h", "小时"),
            _ => ("d", "天"),
        };
        let name = if self.lang == "en" { english } else { chinese };
        format!("{} {name}", seconds / unit)
    }

    /// How far away something is that is so many seconds ahead, or back.
    pub(in crate::web) fn distance(&self, seconds: i64) -> String {
        if seconds == 0 {
            return self.texts.now.to_owned();
        }
        let span = self.span(seconds.abs());
        match (self.lang, seconds < 0) {
            ("en", true) => format!("{span} ago"),
            ("en", false) => format!("in {span}"),
            (_, true) => format!("{span}前"),
            (_, false) => format!("{span}后"),
        }
    }
}
